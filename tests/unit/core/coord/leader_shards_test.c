/* Routing tokens in the order that makes them shards: integers by value, texts by code point. */
#include <criterion/criterion.h>

#include "core/coord/leader_shards.h"

Test(leader_shards, tokens_in_shard_order)
{
    static const char *const sorted[] = {"i:-9007199254740991",
                                         "i:-10",
                                         "i:-2",
                                         "i:-1",
                                         "i:0",
                                         "i:1",
                                         "i:2",
                                         "i:10",
                                         "i:99",
                                         "i:9223372036854775808",
                                         "i:18446744073709551615",
                                         "s:",
                                         "s:Z",
                                         "s:a",
                                         "s:ap",
                                         "s:e\xcc\x81",
                                         "s:z",
                                         "s:\xc3\xa9",
                                         "s:\xef\xbf\xbf",
                                         "s:\xf0\x90\x80\x80"};
    for (size_t i = 0; i < LENGTH_OF(sorted); i++) {
        for (size_t j = 0; j < LENGTH_OF(sorted); j++) {
            int order = shards_compare_tokens(sorted[i], sorted[j]);
            cr_assert_eq((order > 0) - (order < 0), (i > j) - (i < j), "%s, %s", sorted[i],
                         sorted[j]);
        }
    }
}
