/* The places of the rules R1 to R29 in the code, so that each can be taken out and must be missed.
 */
#ifndef TIDEMARK_CORE_COORD_RULES_H
#define TIDEMARK_CORE_COORD_RULES_H

/* `demand || RULE_OFF(n)`, `refusal && !RULE_OFF(n)`: RULE_OFF is false in every ordinary build.
 * tests/sim compiles this folder once more with COORD_MUTANTS: there it is true while coord_mutant
 * is n, the rule is not obeyed, and a test of the simulator has to fail. The number is the rule's;
 * rule * 10 + k where it has a second place that matters by itself. */
#ifdef COORD_MUTANTS
extern int coord_mutant;
#define RULE_OFF(number) (coord_mutant == (number))
#else
#define RULE_OFF(number) false
#endif

#endif
