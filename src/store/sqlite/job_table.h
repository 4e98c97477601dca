#pragma once

#include <map>
#include <vector>

#include "core/job.h"
#include "store/sqlite/sqlite.h"

namespace herald::sqlite {

using Jobs = std::map<Uuid, Job>;

/// Makes the table when it is missing (job.sql).
void make_job_table(const Database& db);
/// Brings `jobs` up to date with what the table says.
void read_jobs(const Database& db, Jobs& jobs);
void put_job(const Database& db, const Job& job);
/// Leaves a mark that outweighs an older row elsewhere.
void forget_job(const Database& db, const Uuid& id);
/// The table holds these then, and no others.
void replace_jobs(const Database& db, const Jobs& jobs);

[[nodiscard]] std::vector<Job> all_jobs(const Jobs& jobs);

}  // namespace herald::sqlite
