/* A real Kafka cluster of a test's own, ended with the test however that ends. */
#ifndef TIDEMARK_TESTS_SUPPORT_BROKER_H
#define TIDEMARK_TESTS_SUPPORT_BROKER_H

/* All calls end the test with a message when they cannot do what they say: a test that needs a
 * broker and cannot have one has failed. One cluster a process. */

/* Starts `nodes` nodes in a new folder under the system's temporary one. `properties` are more
 * broker properties, one a line; NULL: none. Returns "host:port,…", valid to the end. */
const char *broker_start(int nodes, const char *properties);
void broker_stop(void); /* and removes the folder; also at exit */

void broker_pause(int node); /* SIGSTOP: it answers nothing, and connections stay open */
void broker_resume(int node);
/* Pauses it after a while, for a while, in the background. */
void broker_blink(int node, int after_ms, int for_ms);
void broker_kill(int node); /* SIGKILL; its data stay */
void broker_restart(int node);

#endif
