#pragma once
// The command line. Exit codes: 0 done, 1 our own fault or lost data, 2 usage, 3 bad input, 4 environment, 5 done with rejects.

namespace beckon::cli {

/// Parses, runs one command, prints. Not re-entrant: it installs signal handlers.
int run_command_line(int argc, char** argv);

}  // namespace beckon::cli
