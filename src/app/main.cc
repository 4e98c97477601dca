#include <cstdio>
#include <exception>

#include "app/commands.h"

int main(int argc, char** argv) {
    try {
        return herald::run_command_line(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "herald: %s\n", error.what());
        return 1;
    }
}
