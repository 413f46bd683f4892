// report_sample html|terminal|json [en|zh]: a page with everything on it, for looking at.
#include <iostream>
#include <string>

#include "../src/report/tests/sample_page.h"

int main(int argc, char** argv) {
  const std::string form = argc > 1 ? argv[1] : "html";
  const auto page = beckon::report::sample_page(argc > 2 && std::string(argv[2]) == "zh");
  std::cout << (form == "html"       ? beckon::report::to_html(page)
                : form == "terminal" ? beckon::report::to_terminal(page, {.width = 100, .colour = false})
                                     : beckon::report::to_json(page));
  return 0;
}
