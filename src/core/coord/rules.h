/* The places of the rules R1 to R26 in the code, so that each can be taken out and must be missed. */
#ifndef TIDEMARK_CORE_COORD_RULES_H
#define TIDEMARK_CORE_COORD_RULES_H

/* RULE(n, condition) is `condition` in every ordinary build. tests/sim compiles this folder once more with
 * COORD_MUTANTS: there, while coord_mutant is n, it is the opposite: the rule is not obeyed, and a test of
 * the simulator has to fail. A number is the rule's, or rule * 10 + k where one rule stands in k places. */
#ifdef COORD_MUTANTS
extern int coord_mutant;
#define RULE(number, condition) (coord_mutant == (number) ? !(condition) : (condition))
#else
#define RULE(number, condition) (condition)
#endif

#endif
