#include "store/sqlite/job_table.h"

#include <cstring>
#include <string>
#include <utility>

#include "store/sql.h"

namespace herald::sqlite {

namespace {

void put_row(const Database& db, const Uuid& id, std::string_view body) {
    Statement put = db.prepare("INSERT OR REPLACE INTO job VALUES (?, ?)");
    put.bind(id.bytes, body);
    put.run();
}

Uuid job_id(std::string_view blob) {
    Uuid id;
    if (blob.size() == id.bytes.size()) std::memcpy(id.bytes.data(), blob.data(), blob.size());
    return id;
}

}  // namespace

void make_job_table(const Database& db) { db.run(std::string(sql::sqlite_job)); }

void read_jobs(const Database& db, Jobs& jobs) {
    Statement rows = db.prepare("SELECT id, body FROM job");
    while (rows.step()) {
        const Uuid id = job_id(rows.text(0));
        if (rows.text(1).empty()) {
            jobs.erase(id);
            continue;
        }
        auto job = read_stored_job(rows.text(1));
        if (!job) throw Failure{Errc::internal, "the store holds a job that is none", true};
        jobs[id] = std::move(*job);
    }
}

void put_job(const Database& db, const Job& job) { put_row(db, job.id, stored_text(job)); }

void forget_job(const Database& db, const Uuid& id) { put_row(db, id, ""); }

void replace_jobs(const Database& db, const Jobs& jobs) {
    db.run("DELETE FROM job");
    for (const auto& [id, job] : jobs) put_job(db, job);
}

std::vector<Job> all_jobs(const Jobs& jobs) {
    std::vector<Job> all;
    for (const auto& [id, job] : jobs) all.push_back(job);
    return all;
}

}  // namespace herald::sqlite
