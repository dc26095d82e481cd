/* The names of librdkafka's configuration properties, as the library that was loaded knows them. */
#ifndef TIDEMARK_ADAPTERS_CLUSTER_PROPERTIES_H
#define TIDEMARK_ADAPTERS_CLUSTER_PROPERTIES_H

#include <stdbool.h>

enum { CLUSTER_PROPERTIES_NAME_SIZE = 65 };

/* The name that was probably meant by `name`; false when none is near. Any thread; asks no broker.
 */
bool cluster_properties_nearest(const char *name, char ret_nearest[CLUSTER_PROPERTIES_NAME_SIZE]);

#endif
