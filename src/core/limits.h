#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every bound of herald, in one place, with its reason. A bound that nothing enforces is a
/// defect: each is named where it is enforced and has a test.
namespace herald::limits {

// Ingest
inline constexpr std::size_t event_bytes = 1'500'000;       ///< one event, as Infrahub's broker
inline constexpr std::size_t request_bytes = 16'777'216;    ///< one HTTP request body
inline constexpr std::size_t batch_events = 10'000;         ///< events in one request
inline constexpr std::size_t json_depth = 100;              ///< nested arrays and objects
inline constexpr std::size_t event_type_bytes = 255;        ///< an event's name
inline constexpr std::size_t label_bytes = 1'024;           ///< branch, account, kind, node id
inline constexpr std::size_t related_nodes = 500;           ///< as Infrahub's broker
inline constexpr std::size_t ancestors = 100;               ///< depth of an event tree
inline constexpr std::size_t ingest_queue_events = 20'000;  ///< waiting for a commit; then 503
inline constexpr std::size_t commit_events = 1'024;         ///< in one transaction
/// New deliveries in memory to receivers that keep up: beyond, ingest waits for them, so that it
/// does not take the loop from delivery.
inline constexpr std::size_t ingest_debt = 400;

// Webhooks
inline constexpr std::size_t webhooks = 10'000;
inline constexpr std::size_t webhook_name_bytes = 255;
inline constexpr std::size_t description_bytes = 4'096;
inline constexpr std::size_t url_bytes = 2'048;
inline constexpr std::size_t headers = 64;             ///< of one webhook
inline constexpr std::size_t header_bytes = 8'192;     ///< one field value
inline constexpr std::size_t shared_key_bytes = 1'024;
inline constexpr std::size_t signature_prefix_bytes = 64;  ///< before a signature in its header
inline constexpr std::chrono::hours key_grace_max{24 * 30};  ///< an old key that stays is a risk
inline constexpr std::size_t authentication_bytes = 4'096;  ///< one member: a JWT fits
inline constexpr std::size_t secret_file_bytes = 65'536;  ///< what a file: reference reads
inline constexpr std::size_t success_statuses = 32;  ///< in one webhook's success rule
inline constexpr std::size_t made_bytes = 4'194'304;  ///< a body that a transformation makes
inline constexpr std::size_t transformations = 1'000;
inline constexpr std::size_t transformation_source_bytes = 262'144;
inline constexpr std::size_t transformation_values = 64;  ///< secrets, variables, headers of one
inline constexpr std::chrono::milliseconds transformation_time_min{100};
inline constexpr std::size_t pem_bytes = 65'536;  ///< certificates or the key of one webhook
inline constexpr std::size_t event_types = 100;        ///< names and globs of one webhook
inline constexpr std::size_t retry_delays = 50;        ///< attempts of one delivery
inline constexpr std::size_t condition_values = 100;  ///< in one list of a webhook's conditions
inline constexpr std::size_t expression_bytes = 4'096;  ///< of one webhook
inline constexpr std::size_t expression_parts = 512;  ///< each is looked at once an event
inline constexpr std::size_t expression_depth = 32;  ///< nested parentheses, so stack
/// What `matches` compares at most: a glob takes pattern times text in the worst case.
inline constexpr std::size_t matched_text_bytes = 16'384;
inline constexpr std::chrono::seconds timeout_min{1};
inline constexpr std::chrono::seconds timeout_max{300};
inline constexpr std::chrono::hours retry_delay_max{24 * 30};

// Delivery
inline constexpr std::size_t open_in_memory = 4'096;  ///< deliveries the lanes hold together
inline constexpr std::size_t lane_queue = 512;  ///< deliveries one lane holds,
inline constexpr std::size_t lane_queue_slow = 128;  ///< when its receiver is slow or fails
inline constexpr std::size_t lane_in_flight = 64;  ///< requests at once to one webhook
inline constexpr std::size_t ordered_run = 64;  ///< of one key in hand, one after the other
inline constexpr std::size_t connections = 4'096;  ///< to all receivers
inline constexpr std::size_t response_capture = 16'384;  ///< body bytes kept of an answer
inline constexpr std::size_t response_header_bytes = 65'536;
inline constexpr std::size_t response_body_bytes = 1'048'576;  ///< read, then the connection ends
inline constexpr std::chrono::minutes lease{15};  ///< what is held longer is renewed by its claim
inline constexpr std::chrono::seconds idle_connection{60};
inline constexpr std::chrono::milliseconds settle_linger{20};
inline constexpr std::size_t settle_batch = 1'024;

// Jobs
inline constexpr std::size_t jobs = 100;  ///< kept, the finished ones too
inline constexpr std::size_t job_page = 100;  ///< deliveries or events looked at in one step
inline constexpr std::uint32_t job_rate_default = 100;  ///< deliveries a second
inline constexpr std::uint32_t job_rate = 10'000;
/// A job makes no more deliveries for a webhook that has so many pending: new events would wait
/// behind them.
inline constexpr std::size_t job_backlog = 1'000;
inline constexpr std::size_t job_sample = 10;  ///< shown by a dry run

// Gathering
inline constexpr std::chrono::milliseconds quiet_min{100};
inline constexpr std::chrono::minutes quiet_max{10};
inline constexpr std::chrono::hours gathering_max{2};  ///< from the first event of a key on
inline constexpr std::size_t gathered_most = 1'000;  ///< events in one delivery,
inline constexpr std::size_t gathered_bytes = 1'000'000;  ///< and bytes, below event_bytes
inline constexpr std::size_t gathered_events = 4'096;  ///< that wait in memory,
inline constexpr std::size_t gathered_of_webhook = 1'024;  ///< of one webhook,
inline constexpr std::size_t gathered_memory = 64 << 20;  ///< and their bytes; then they go early

// Repositories of transformations
inline constexpr std::size_t repositories = 64;  ///< open at once; each has a thread
inline constexpr std::uint64_t mirror_bytes = 2'147'483'648;  ///< of one remote; then cloned anew
inline constexpr std::uint64_t worktree_bytes = 536'870'912;  ///< files of one commit together,
inline constexpr std::size_t worktree_files = 100'000;  ///< and how many
inline constexpr std::uint64_t worktrees_bytes = 2'147'483'648;  ///< of one repository together
inline constexpr std::size_t worktrees_kept = 8;  ///< of commits that nobody asks for any more
inline constexpr std::size_t source_file_bytes = 1'048'576;  ///< one file of code
inline constexpr std::size_t git_answer_bytes = 67'108'864;  ///< lists of files and branches

// Transformations
inline constexpr std::chrono::seconds transform_timeout{10};  ///< when it says nothing else
/// From the start of a host until it has loaded its code: imports on a busy machine take long.
inline constexpr std::chrono::seconds host_start{30};
inline constexpr std::uint64_t host_memory_bytes = 256U << 20;
inline constexpr std::uint32_t host_cpu_seconds = 10;
inline constexpr std::uint64_t host_file_bytes = 16U << 20;  ///< one file, and all in its folder
inline constexpr std::uint64_t host_files = 1'024;  ///< in its folder
inline constexpr std::uint64_t host_descriptors = 64;  ///< open at a time
inline constexpr std::uint64_t host_threads = 64;
inline constexpr std::size_t host_failure_bytes = 65'536;  ///< a failure, or what it printed
inline constexpr std::size_t host_notes_bytes = 4'096;  ///< kept of what it printed
inline constexpr std::size_t hosts = 16;  ///< children of all transformations
inline constexpr std::size_t hosts_each = 2;  ///< children of one
inline constexpr std::size_t host_depth = 16;  ///< events given to one child ahead
inline constexpr std::size_t transform_waiting = 1'024;  ///< events of one transformation
inline constexpr std::chrono::minutes host_idle{5};  ///< then it ends

// Operator events
inline constexpr std::size_t announcements = 1'000;  ///< that wait for the store

// API
inline constexpr std::size_t page_default = 50;
inline constexpr std::size_t page_max = 250;
inline constexpr std::uint64_t count_max = 10'000;  ///< counts stop here and say "more"
inline constexpr std::size_t field_errors = 32;  ///< named in one answer; the rest is left out
inline constexpr std::size_t query_values = 100;  ///< values of one filter
inline constexpr std::size_t backtest_step = 32;  ///< events read at a time, with their bodies
inline constexpr std::size_t backtest_bytes = 4'194'304;  ///< bodies in one page of a backtest
/// A backtest and a lint answer with what they have after this time, and where to go on.
inline constexpr std::chrono::milliseconds long_request{1'000};
inline constexpr std::size_t api_connections = 4'096;
inline constexpr std::size_t request_header_bytes = 32'768;
inline constexpr std::size_t idempotency_key_bytes = 255;
inline constexpr std::chrono::hours idempotency_keeps{24};

}  // namespace herald::limits
