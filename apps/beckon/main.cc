#include "beckon/cli/cli.h"

int main(int argc, char** argv) { return beckon::cli::run_command_line(argc, argv); }
