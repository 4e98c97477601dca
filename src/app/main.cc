#include <cstdio>
#include <exception>

#include "app/commands.h"
#include "app/transform_hosts.h"
#include "transform/jq_host.h"

int main(int argc, char** argv) {
    try {
        // Not a command of people's: the pool starts it with its end of a socket.
        if (argc == 2 && argv[1] == herald::jq_host_argument) return herald::run_jq_host(3);
        return herald::run_command_line(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "herald: %s\n", error.what());
        return 1;
    }
}
