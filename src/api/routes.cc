#include "api/routes.h"

#include <array>

#include "api/backtest.h"
#include "api/deliveries.h"
#include "api/event_lists.h"
#include "api/events.h"
#include "api/explanations.h"
#include "api/health.h"
#include "api/jobs.h"
#include "api/presets.h"
#include "api/target.h"
#include "api/transformation_runs.h"
#include "api/transformations.h"
#include "api/webhooks.h"

namespace herald {

namespace {

constexpr Traits probe{.open = true, .any_query = true};
constexpr Traits any_query{.any_query = true};
constexpr Traits keyed{.keyed = true};

constexpr std::array table{
    Route{"GET", "/livez", get_livez, "livez", probe},
    Route{"GET", "/readyz", get_readyz, "readyz", probe},
    Route{"GET", "/metrics", get_metrics, "metrics", any_query},
    Route{"GET", "/api/openapi.json", get_openapi, "openapi", any_query},
    Route{"GET", "/api/v1/event-schema", get_event_schema, "event_schema"},
    Route{"GET", "/api/v1/stats", get_stats, "stats"},

    Route{"POST", "/api/v1/events", post_events, "events", keyed},
    Route{"GET", "/api/v1/events", list_events, "events", any_query},
    Route{"GET", "/api/v1/events/{}", get_event, "event"},
    Route{"GET", "/api/v1/event-types", list_event_types, "event_types"},
    Route{"GET", "/api/v1/event-types/{}/sample", get_event_sample, "event_sample"},

    Route{"POST", "/api/v1/webhooks", create_webhook, "webhooks", keyed},
    Route{"GET", "/api/v1/webhooks", list_webhooks, "webhooks", any_query},
    Route{"GET", "/api/v1/webhooks/{}", get_webhook, "webhook"},
    Route{"PUT", "/api/v1/webhooks/{}", replace_webhook, "webhook"},
    Route{"PATCH", "/api/v1/webhooks/{}", patch_webhook, "webhook"},
    Route{"DELETE", "/api/v1/webhooks/{}", delete_webhook, "webhook"},
    Route{"GET", "/api/v1/webhooks/{}/explain", explain_event, "webhook_explain", any_query},
    Route{"POST", "/api/v1/webhooks/{}/explain", explain_body, "webhook_explain"},
    Route{"POST", "/api/v1/webhooks/backtest", backtest_webhook, "webhook_backtest"},
    Route{"GET", "/api/v1/lint", lint_webhooks, "lint", any_query},
    Route{"POST", "/api/v1/webhooks/{}/test", test_webhook, "webhook_test", keyed},

    Route{"POST", "/api/v1/transformations", create_transformation, "transformations", keyed},
    Route{"GET", "/api/v1/transformations", list_transformations, "transformations"},
    Route{"POST", "/api/v1/transformations/run", run_unsaved, "transformation_run"},
    Route{"GET", "/api/v1/transformations/{}", get_transformation, "transformation"},
    Route{"PUT", "/api/v1/transformations/{}", replace_transformation, "transformation"},
    Route{"PATCH", "/api/v1/transformations/{}", patch_transformation, "transformation"},
    Route{"DELETE", "/api/v1/transformations/{}", delete_transformation, "transformation"},
    Route{"POST", "/api/v1/transformations/{}/run", run_transformation, "transformation_run"},

    Route{"GET", "/api/v1/presets", list_presets, "presets"},
    Route{"GET", "/api/v1/presets/{}", get_preset, "preset"},

    Route{"GET", "/api/v1/deliveries", list_deliveries, "deliveries", any_query},
    Route{"GET", "/api/v1/deliveries/{}", get_delivery, "delivery"},
    Route{"POST", "/api/v1/deliveries/{}/retry", retry_delivery, "delivery_retry", keyed},
    Route{"POST", "/api/v1/deliveries/{}/cancel", cancel_delivery, "delivery_cancel"},

    Route{"POST", "/api/v1/jobs", create_job, "jobs", keyed},
    Route{"GET", "/api/v1/jobs", list_jobs, "jobs"},
    Route{"GET", "/api/v1/jobs/{}", get_job, "job"},
    Route{"POST", "/api/v1/jobs/{}/pause", pause_job, "job_pause"},
    Route{"POST", "/api/v1/jobs/{}/resume", resume_job, "job_resume"},
    Route{"POST", "/api/v1/jobs/{}/cancel", cancel_job, "job_cancel"},
};

/// The next segment behind a "/", taken off `path`.
std::string_view take_segment(std::string_view& path) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

/// Whether the path has the pattern's form; fills the parameter.
bool fits_path(std::string_view pattern, std::string_view path, std::string& parameter) {
    while (!pattern.empty() && !path.empty()) {
        const std::string_view wanted = take_segment(pattern);
        const std::string_view sent = take_segment(path);
        if (sent == wanted && wanted != "{}") continue;
        if (wanted != "{}" && !sent.contains('%')) return false;
        const auto segment = percent_decode(sent);
        if (!segment) return false;
        if (wanted == "{}" && !segment->empty()) {
            parameter = *segment;
        } else if (wanted != *segment) {
            return false;
        }
    }
    return pattern.empty() && path.empty();
}

}  // namespace

std::span<const Route> routes() { return table; }

Match match(std::string_view method, std::string_view path) {
    if (!path.starts_with('/')) return {};
    const bool head = method == "HEAD";
    Match found;
    for (const Route& route : table) {
        std::string parameter;
        if (!fits_path(route.path, path, parameter)) continue;
        if (route.method == (head ? "GET" : method)) {
            found.route = &route;
            found.parameter = std::move(parameter);
            found.allowed.clear();
            return found;
        }
        found.allowed.push_back(route.method);
        if (route.method == "GET") found.allowed.emplace_back("HEAD");
    }
    return found;
}

}  // namespace herald
