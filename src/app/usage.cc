#include <algorithm>
#include <memory>

#include "app/commands.h"
#include "core/suggest.h"

namespace herald {

namespace {

const CLI::App* find_command(const CLI::App& app, const std::string& name) {
    for (const CLI::App* command : app.get_subcommands(nullptr)) {
        if (command->get_name() == name) return command;
    }
    return nullptr;
}

std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands(nullptr))
        names.push_back(command->get_name());
    return names;
}

std::string guess(const std::string& word, const std::vector<std::string>& known) {
    const std::vector<std::string_view> views(known.begin(), known.end());
    return did_you_mean(word, views);
}

/// An option of this command, or of those above it.
const CLI::Option* find_option(const CLI::App* app, const std::string& name) {
    for (; app != nullptr; app = app->get_parent()) {
        if (const auto* option = app->get_option_no_throw(name)) return option;
    }
    return nullptr;
}

std::string unknown_option(const CLI::App* app, const std::string& name) {
    std::vector<std::string> known;
    for (; app != nullptr; app = app->get_parent()) {
        for (const CLI::Option* option : app->get_options()) {
            for (const std::string& one : option->get_lnames()) known.push_back("--" + one);
        }
    }
    return "unknown option " + name + guess(name, known);
}

class Formatter : public CLI::Formatter {
public:
    std::string make_description(const CLI::App* app) const override {
        std::string text = app->get_description();
        while (text.ends_with('\n')) text.pop_back();
        return text + "\n\n";
    }

    std::string make_subcommand(const CLI::App* sub) const override {
        const std::string text = sub->get_description();
        std::string row = "  " + sub->get_name();
        row.resize(std::max(row.size() + 1, get_column_width()), ' ');
        return row + text.substr(0, text.find('\n')) + "\n";
    }

    std::string make_option_opts(const CLI::Option* option) const override {
        std::string text = CLI::Formatter::make_option_opts(option);
        // An option takes one value, and may be given again.
        if (text.ends_with(" ...")) text.resize(text.size() - 4);
        return text;
    }

    std::string make_footer(const CLI::App* app) const override {
        if (app->get_parent() == nullptr) return "Each command explains itself with --help.\n";
        if (!app->get_subcommands(nullptr).empty()) {
            return "Each of these explains itself with --help.\n";
        }
        return "For all commands: --address, --token-file, -o table|json|yaml, --color; see\n"
               "`herald --help` and `herald help environment`.\n";
    }
};

}  // namespace

std::string explain_arguments(const CLI::App& app, const std::vector<std::string>& arguments) {
    const CLI::App* at = &app;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (word == "--") return {};
        if (word.size() > 1 && word.starts_with('-')) {
            const std::string name = word.substr(0, word.find('='));
            const CLI::Option* option = find_option(at, name);
            if (option == nullptr && !word.starts_with("--")) return {};  // -pVALUE and such
            if (option == nullptr) return unknown_option(at, name);
            if (option->get_expected_max() > 0 && name == word) ++i;
        } else if (const auto names = command_names(*at); !names.empty()) {
            const CLI::App* next = find_command(*at, word);
            if (next == nullptr) return "unknown command " + word + guess(word, names);
            at = next;
        }
    }
    std::string known;
    for (const std::string& name : command_names(*at)) known += (known.empty() ? "" : ", ") + name;
    return known.empty() ? known : "a command is missing: one of " + known;
}

std::shared_ptr<CLI::Formatter> help_formatter() {
    auto formatter = std::make_shared<Formatter>();
    formatter->column_width(34);
    return formatter;
}

}  // namespace herald
