/* The tokens of a CEL expression. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_LEX_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_LEX_H

#include "core/route/cel/cel_problem.h"

enum cel_token_kind {
    CEL_TOKEN_END,
    CEL_TOKEN_NAME,
    CEL_TOKEN_QUOTED_NAME, /* `in-backticks`: a field alone */
    CEL_TOKEN_INT,
    CEL_TOKEN_UINT,
    CEL_TOKEN_DOUBLE,
    CEL_TOKEN_STRING,
    CEL_TOKEN_BYTES,
    CEL_TOKEN_TRUE,
    CEL_TOKEN_FALSE,
    CEL_TOKEN_NULL,
    CEL_TOKEN_IN,
    CEL_TOKEN_EQUAL,
    CEL_TOKEN_NOT_EQUAL,
    CEL_TOKEN_LESS,
    CEL_TOKEN_LESS_EQUAL,
    CEL_TOKEN_MORE,
    CEL_TOKEN_MORE_EQUAL,
    CEL_TOKEN_AND,
    CEL_TOKEN_OR,
    CEL_TOKEN_MARK, /* one character: ( ) [ ] { } . , - ! ? : + * / % */
};

struct cel_token {
    enum cel_token_kind kind;
    char mark;         /* CEL_TOKEN_MARK */
    size_t at;         /* byte of the expression */
    struct bytes text; /* as it is written */
};

struct cel_lexer {
    struct bytes text;
    size_t at;
};

/* CEL_TOKEN_END again and again at the end. False: no token begins here. */
MUST_CHECK bool cel_lex_next(struct cel_lexer *lexer, struct cel_token *ret_token,
                             struct cel_problem *problem);

/* Words that name nothing in CEL: "if", "while", …, with "in", "true", "false", "null". */
bool cel_lex_is_reserved(struct bytes name);

/* A letter or '_', then letters, digits and '_'. */
bool cel_lex_is_name(struct bytes text);

#endif
