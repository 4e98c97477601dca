#include "core/signature_options.h"

namespace herald {

std::string_view to_text(SignatureEncoding encoding) {
    return encoding == SignatureEncoding::hex ? "hex" : "base64";
}

std::optional<SignatureEncoding> parse_signature_encoding(std::string_view text) {
    for (const auto encoding : {SignatureEncoding::hex, SignatureEncoding::base64}) {
        if (to_text(encoding) == text) return encoding;
    }
    return std::nullopt;
}

SignatureOptions read_signature_options(JsonView value, std::vector<FieldError>& wrong) {
    SignatureOptions options;
    OptionReader reader(value, "/signature", JsonView{}, wrong);
    options.header = reader.text("header", options.header);
    options.prefix = reader.text("prefix");
    options.encoding =
        reader.choice("encoding", options.encoding, parse_signature_encoding, "hex or base64");
    options.algorithm = reader.choice("algorithm", options.algorithm, parse_hash_algorithm,
                                      "sha1, sha224, sha256, sha384 or sha512");
    reader.finish();
    return options;
}

void append_signature_options(std::string& out, const SignatureOptions& options) {
    OptionWriter writer(out, SecretForm::plain);
    writer.text("header", options.header);
    writer.text("prefix", options.prefix);
    writer.text("encoding", to_text(options.encoding));
    writer.text("algorithm", to_text(options.algorithm));
    writer.finish();
}

}  // namespace herald
