#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/transformation.h"
#include "transform/git_repositories.h"
#include "transform/host_pool.h"
#include "transform/transform.h"
#include "transform/worktree.h"

namespace herald {

/// How the host of a runtime is started.
struct HostCommand {
    std::vector<std::string> words;  ///< as HostPlan::command
    std::string_view program = {};   ///< as HostPlan::program
};

/// What HostedTransform needs to know.
struct TransformSources {
    /// A stored transformation; null: there is none of this name.
    std::function<std::shared_ptr<const Transformation>(std::string_view name)> find;
    /// What a text stands for that may be a reference. The error says why it cannot be read.
    std::function<Result<std::string>(const std::string& text)> read;
    /// Looks a name up in a repository's own list.
    TransformFinder finder;
    /// How hosts are started, by runtime.
    std::function<HostCommand(Runtime runtime)> command;
    /// Python modules for code whose own are not installed, by name.
    NamedTexts modules = {};
};

/// Runs transformations in pooled child processes. Lives on the loop thread.
class HostedTransform final : public Transform {
public:
    /// All must outlive it.
    HostedTransform(HostPool& pool, GitRepositories& repositories, TransformSources sources);

    boost::asio::awaitable<Made> apply(const Event& event, const Webhook& webhook) override;
    [[nodiscard]] std::vector<std::string> secrets(const Webhook& webhook) const override;

    /// What a transformation is given as secrets now.
    [[nodiscard]] std::vector<std::string> secrets(const Transformation& transformation) const;

    /// One run, as people want to see it.
    struct Run {
        Made made;
        std::string notes;  ///< what the code printed
        Duration took{0};   ///< in the host
    };
    /// Runs a transformation, which need not be stored (its uuid is nil then).
    boost::asio::awaitable<Run> run(std::shared_ptr<const Transformation> transformation,
                                    const Event& event);

private:
    /// What children of one version, commit and set of secrets are started with.
    struct Known {
        NamedTexts secrets;
        NamedTexts environment;
        std::shared_ptr<const HostPlan> plan;
    };

    [[nodiscard]] Result<NamedTexts> resolve(const NamedTexts& texts) const;
    boost::asio::awaitable<Result<std::optional<Worktree>>> check_out(
        const Transformation& transformation, const Event& event);
    Result<std::shared_ptr<const HostPlan>> plan(const Transformation& transformation,
                                                 const Worktree* worktree);
    Result<std::shared_ptr<HostPlan>> make_plan(const Transformation& transformation,
                                                const Worktree* worktree, const Known& known) const;

    HostPool& pool_;
    GitRepositories& repositories_;
    const TransformSources sources_;
    std::map<std::string, Known> known_;
};

}  // namespace herald
