#include <memory>

#include "app/commands.h"

namespace herald {

namespace {

/// "webhook:create list get ..." for each group; the root is "".
std::vector<std::pair<std::string, std::string>> words(const CLI::App& app) {
    std::vector<std::pair<std::string, std::string>> rows;
    std::string top;
    for (const CLI::App* command : app.get_subcommands(nullptr)) {
        if (command->get_name().empty()) continue;
        top += (top.empty() ? "" : " ") + command->get_name();
        std::string inner;
        for (const CLI::App* verb : command->get_subcommands(nullptr)) {
            inner += (inner.empty() ? "" : " ") + verb->get_name();
        }
        if (!inner.empty()) rows.emplace_back(command->get_name(), inner);
    }
    rows.insert(rows.begin(), {"", top});
    return rows;
}

std::string bash(const CLI::App& app) {
    std::string script =
        "_herald() {\n    local cur=${COMP_WORDS[COMP_CWORD]}\n    local words\n"
        "    case ${COMP_WORDS[1]} in\n";
    const auto rows = words(app);
    for (std::size_t i = 1; i < rows.size(); ++i) {
        script += "        " + rows[i].first + ") words=\"" + rows[i].second + "\" ;;\n";
    }
    script += "    esac\n    if [[ $COMP_CWORD -eq 1 ]]; then words=\"" + rows[0].second +
              "\"; fi\n    if [[ $COMP_CWORD -gt 2 ]]; then words=\"\"; fi\n"
              "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
              "complete -o default -F _herald herald\n";
    return script;
}

std::string zsh(const CLI::App& app) {
    return "#compdef herald\nautoload -U +X bashcompinit && bashcompinit\n" + bash(app);
}

std::string fish(const CLI::App& app) {
    std::string script = "complete -c herald -f\n";
    const auto rows = words(app);
    script += "complete -c herald -n __fish_use_subcommand -a '" + rows[0].second + "'\n";
    for (std::size_t i = 1; i < rows.size(); ++i) {
        script += "complete -c herald -n '__fish_seen_subcommand_from " + rows[i].first + "' -a '" +
                  rows[i].second + "'\n";
    }
    return script;
}

constexpr std::string_view exit_codes =
    "Exit codes\n"
    "  0    it worked\n"
    "  1    it did not work, or there is no such thing\n"
    "  2    wrong options, arguments or configuration\n"
    "  3    no herald answers at the address\n"
    "  4    the token is missing, wrong or not enough\n"
    "  5    a delivery or a test was not delivered\n"
    "  6    a signature did not verify\n"
    "  7    lint found a webhook that can never fire\n"
    "  130  ended by Ctrl-C\n";

constexpr std::string_view signatures =
    "Signatures\n"
    "  webhook-id         msg_ and 32 hex digits; the same for every attempt of a delivery\n"
    "  webhook-timestamp  unix seconds of the attempt\n\n"
    "  webhook-signature: v1,<base64(HMAC-SHA256(key, \"<id>.<timestamp>.<payload>\"))>\n"
    "  profile           body                 payload signed             key\n"
    "  infrahub          compact JSON         the body                   its text\n"
    "  infrahub-spaced   JSON with spaces     the body                   its text\n"
    "  infrahub-repr     compact JSON         Python's str() of it       its text\n"
    "  standard          compact JSON         the body                   base64 behind whsec_\n"
    "  standard-ed25519  compact JSON         the body, as v1a,...       Ed25519 behind whsk_\n\n"
    "  Other headers, over the body alone, with the text of the key:\n"
    "  github            X-Hub-Signature-256: sha256=<hex>, X-GitHub-Event, X-GitHub-Delivery\n"
    "  netbox            X-Hook-Signature: <hex of HMAC-SHA512>\n"
    "  hmac              any header, prefix, encoding and algorithm\n"
    "  gitlab-token      X-Gitlab-Token: <the key>, X-Gitlab-Event; nothing is signed\n\n"
    "  auto tries infrahub, infrahub-repr, infrahub-spaced, and standard for a whsec_ key, until\n"
    "  the receiver accepts one, and remembers it. herald new-key makes a key.\n";

std::string environment_topic() {
    std::string text =
        "Environment\n"
        "  HERALD_ADDRESS     the herald that commands talk to\n"
        "  HERALD_API_TOKEN   the token for it, or HERALD_API_TOKEN_FILE; for `serve`: the tokens\n"
        "  HERALD_CONFIG      configuration file of `serve`\n"
        "  NO_COLOR           no colours\n\nEvery key of the configuration:\n";
    for (const ConfigKey& key : config_keys()) {
        std::string name(key.environment);
        name.resize(std::max<std::size_t>(name.size() + 2, 36), ' ');
        text += "  " + name + std::string(key.help) + "\n";
    }
    return text;
}

}  // namespace

void add_completion(CLI::App& app, CommandLine& line) {
    auto shell = std::make_shared<std::string>();
    auto* command = app.add_subcommand(
        "completion",
        "Print completion for a shell\n\n  herald completion bash > /etc/bash_completion.d/herald");
    command->add_option("shell", *shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    command->callback([&app, &line, shell] {
        (void)line;
        const std::string script =
            *shell == "bash" ? bash(app) : (*shell == "zsh" ? zsh(app) : fish(app));
        std::fputs(script.c_str(), stdout);
    });
}

void add_help_topics(CLI::App& app, CommandLine& line) {
    auto topic = std::make_shared<std::string>();
    auto* command = app.add_subcommand("help", "Topics: exit-codes, environment, signatures");
    command->add_option("topic", *topic, "exit-codes, environment or signatures")
        ->check(CLI::IsMember({"exit-codes", "environment", "signatures"}));
    command->callback([&app, &line, topic] {
        (void)line;
        std::string text;
        if (*topic == "exit-codes") text = exit_codes;
        if (*topic == "signatures") text = signatures;
        if (*topic == "environment") text = environment_topic();
        if (topic->empty()) text = app.help();
        std::fputs(text.c_str(), stdout);
    });
}

}  // namespace herald
