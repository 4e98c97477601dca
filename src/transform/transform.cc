#include "transform/transform.h"

namespace herald {

std::string to_text(const TransformFault& fault) {
    std::string text = fault.message;
    if (fault.line) {
        text += " (line " + std::to_string(*fault.line);
        if (fault.column) text += ", column " + std::to_string(*fault.column);
        text += ")";
    }
    if (!fault.traceback.empty()) text += "\n" + fault.traceback;
    return text;
}

}  // namespace herald
