/* The doctor's checks of this machine: its work folder, its port, its clock. */
#ifndef TIDEMARK_CONSUMER_DOCTOR_DOCTOR_MACHINE_H
#define TIDEMARK_CONSUMER_DOCTOR_DOCTOR_MACHINE_H

#include "consumer/doctor/doctor.h"

void doctor_check_work_folder(struct doctor *doctor, const struct settings *settings);

/* Can status.listen be had, or has the member that runs with these settings got it? */
void doctor_check_listen(struct doctor *doctor, const struct settings *settings);

/* Against the stamps of the ledger, which is there (R26): that needs a record which is appended
 * just now, so some member must run. */
void doctor_check_broker_clock(struct doctor *doctor, const struct settings *settings);

#endif
