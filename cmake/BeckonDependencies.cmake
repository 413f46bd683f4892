# Every third-party library, found once, under one name. Versions: docs/decisions; installation: tools/setup.
find_package(Threads REQUIRED)
find_package(GTest REQUIRED CONFIG)
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(EXPAT REQUIRED)
find_package(CURL REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc i18n)
find_package(zstd REQUIRED CONFIG)
find_package(simdjson REQUIRED CONFIG)
find_package(tomlplusplus REQUIRED CONFIG)
find_package(nlohmann_json REQUIRED CONFIG)
find_package(CLI11 REQUIRED CONFIG)
find_package(spdlog REQUIRED CONFIG)
find_package(RocksDB REQUIRED CONFIG)
find_package(date REQUIRED CONFIG)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)

# dnnl's own CMake config insists on OpenCL headers, which a CPU build does not need.
find_path(DNNL_INCLUDE_DIR dnnl.hpp REQUIRED)
find_library(DNNL_LIBRARY dnnl REQUIRED)
add_library(Dnnl::Dnnl UNKNOWN IMPORTED GLOBAL)
# gomp: the OpenMP runtime that Debian's oneDNN runs on; tensor tells it to use one thread.
set_target_properties(Dnnl::Dnnl PROPERTIES IMPORTED_LOCATION ${DNNL_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${DNNL_INCLUDE_DIR}
  INTERFACE_LINK_LIBRARIES gomp)

# Debian's config of xgboost asks for OpenMP as a language feature of the user; the library itself brings its runtime.
find_path(XGBOOST_INCLUDE_DIR xgboost/c_api.h REQUIRED)
find_library(XGBOOST_LIBRARY xgboost REQUIRED)
add_library(Xgboost::Xgboost UNKNOWN IMPORTED GLOBAL)
set_target_properties(Xgboost::Xgboost PROPERTIES IMPORTED_LOCATION ${XGBOOST_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${XGBOOST_INCLUDE_DIR})
