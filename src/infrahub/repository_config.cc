#include "infrahub/repository_config.h"

#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "core/suggest.h"

namespace herald {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view default_class = "Transform";
constexpr std::size_t names_shown = 10;

struct Entry {
    std::string name;
    FoundTransform found;
};

/// One configuration file while it is read. Every complaint names the place.
class ConfigFile {
public:
    explicit ConfigFile(std::string name) : name_(std::move(name)) {}

    [[nodiscard]] std::unexpected<Error> wrong(const YAML::Mark& mark,
                                               const std::string& what) const {
        std::string text = name_;
        if (!mark.is_null()) text += ", line " + std::to_string(mark.line + 1);
        return fail(Errc::invalid, text + ": " + what);
    }

    Result<std::vector<Entry>> read(const std::string& text) const {
        try {
            return read_root(YAML::Load(text));
        } catch (const YAML::Exception& e) {
            return wrong(e.mark, "this is no YAML: " + e.msg);
        }
    }

    [[nodiscard]] const std::string& name() const { return name_; }

private:
    Result<std::vector<Entry>> read_root(const YAML::Node& root) const {
        if (!root.IsMap()) return wrong(root.Mark(), "write a mapping with python_transforms");
        const YAML::Node list = root["python_transforms"];
        std::vector<Entry> entries;
        if (!list.IsDefined() || list.IsNull()) return entries;
        if (!list.IsSequence()) {
            return wrong(list.Mark(), "write python_transforms as a list of entries");
        }
        for (const YAML::Node& node : list) {
            auto entry = read_entry(node);
            if (!entry) return fail(std::move(entry.error()));
            for (const Entry& before : entries) {
                if (before.name != entry->name) continue;
                return wrong(node.Mark(), "a second python_transforms entry has the name " +
                                              entry->name + ": give it another one");
            }
            entries.push_back(std::move(*entry));
        }
        return entries;
    }

    Result<Entry> read_entry(const YAML::Node& node) const {
        if (!node.IsMap()) {
            return wrong(node.Mark(), "write the entry as a mapping with name and file_path");
        }
        auto name = text(node, "name", "");
        if (!name) return fail(std::move(name.error()));
        auto file = text(node, "file_path", "");
        if (!file) return fail(std::move(file.error()));
        auto class_name = text(node, "class_name", default_class);
        if (!class_name) return fail(std::move(class_name.error()));
        Entry entry{std::move(*name), {std::move(*file), std::move(*class_name)}};
        const YAML::Node convert = node["convert_query_response"];
        if (!convert.IsDefined() || convert.IsNull()) return entry;
        if (!YAML::convert<bool>::decode(convert, entry.found.convert_query_response)) {
            return wrong(convert.Mark(), "write convert_query_response as true or false");
        }
        return entry;
    }

    /// A member that is a text; `otherwise` when it is not given. Empty is not given.
    Result<std::string> text(const YAML::Node& entry, const char* member,
                             std::string_view otherwise) const {
        const YAML::Node value = entry[member];
        const bool given = value.IsDefined() && !value.IsNull();
        if (given && !value.IsScalar()) {
            return wrong(value.Mark(), std::string("write ") + member + " as a text");
        }
        std::string found(given ? value.Scalar() : otherwise);
        if (found.empty()) {
            return wrong(entry.Mark(),
                         std::string("this entry of python_transforms has no ") + member);
        }
        return found;
    }

    std::string name_;
};

Result<std::string> contents(const fs::path& root, const std::string& name) {
    // No branch or commit is known here; the caller's message names them.
    const auto path = file_in({.root = root, .commit = {}, .branch = {}}, name);
    if (!path) return fail(Errc::invalid, name + ": cannot be used: it is a link or too large");
    std::ifstream file(*path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file) return fail(Errc::unavailable, name + ": cannot be read");
    return text;
}

std::unexpected<Error> lacks(const ConfigFile& file, const std::vector<Entry>& entries,
                             const std::string& name) {
    std::vector<std::string_view> names;
    std::string some;
    for (const Entry& entry : entries) {
        if (names.size() < names_shown) some += (names.empty() ? "" : ", ") + entry.name;
        names.push_back(entry.name);
    }
    if (names.size() > names_shown) some += " and others";
    std::string text = file.name() + ": python_transforms has no entry " + name;
    const std::string near = did_you_mean(name, names);
    if (!near.empty()) return fail(Errc::invalid, text + near);
    if (names.empty()) return fail(Errc::invalid, text + ", it has none at all: add it");
    return fail(Errc::invalid, text + ", it has " + some + ": add it, or correct the name");
}

}  // namespace

Result<FoundTransform> find_python_transform(const fs::path& root, const std::string& name) {
    std::error_code error;
    for (const char* candidate : {".infrahub.yml", ".infrahub.yaml"}) {
        if (!fs::exists(fs::symlink_status(root / candidate, error))) continue;
        const ConfigFile file(candidate);
        const auto text = contents(root, candidate);
        if (!text) return fail(text.error());
        const auto entries = file.read(*text);
        if (!entries) return fail(entries.error());
        for (const Entry& entry : *entries) {
            if (entry.name == name) return entry.found;
        }
        return lacks(file, *entries, name);
    }
    return fail(Errc::invalid,
                "the repository has no .infrahub.yml: add it with an entry " + name +
                    " under python_transforms, or name the transformation's file itself");
}

}  // namespace herald
