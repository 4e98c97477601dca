#include "transform/host_redactor.h"

#include <algorithm>

#include "base/json.h"

namespace herald {

namespace {

constexpr std::string_view mask = "***";
constexpr std::string_view cut = "...";

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

}  // namespace

void HostRedactor::add(std::string_view secret) {
    if (secret.empty()) return;
    std::string json;
    append_json_string(json, secret);
    forms_.emplace_back(secret);
    forms_.push_back(json.substr(1, json.size() - 2));
    std::ranges::sort(forms_, std::ranges::greater{}, &std::string::size);
}

std::string HostRedactor::without_secrets(std::string text) const {
    for (const std::string& form : forms_) replace_all(text, form, mask);
    for (const std::string& form : forms_) {
        for (auto at = text.find(cut); at != text.npos; at = text.find(cut, at + cut.size())) {
            // The longest beginning of the secret that ends where the text was cut.
            for (std::size_t size = std::min(form.size(), at); size > 0; --size) {
                if (text.compare(at - size, size, form, 0, size) != 0) continue;
                text.replace(at - size, size, mask);
                at = at - size + mask.size();
                break;
            }
        }
    }
    return text;
}

}  // namespace herald
