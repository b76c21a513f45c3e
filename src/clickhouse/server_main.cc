// penstock-clickhouse: a real ClickHouse from the embedded library, over HTTP and native TCP.
//
// A program of its own, of nothing but the standard library: libchdb cannot be loaded into a
// program built with sanitizers. It dies with the process (strictly: the thread) that started it.
#include <dlfcn.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr const char* kUsage =
    "usage: penstock-clickhouse --data-dir DIR --http-port N --tcp-port N [--listen ADDRESS]\n"
    "                           [--library FILE] [--parent-pid PID]\n";

struct Arguments {
  std::string data_dir;
  std::string http_port;
  std::string tcp_port;
  std::string listen = "127.0.0.1";
  std::string libchdb;
  std::string parent_pid;
};

std::optional<Arguments> Parse(int argc, char** argv) {
  Arguments arguments;
  const std::pair<std::string_view, std::string*> known[] = {
      {"--data-dir", &arguments.data_dir}, {"--http-port", &arguments.http_port},
      {"--tcp-port", &arguments.tcp_port}, {"--listen", &arguments.listen},
      {"--library", &arguments.libchdb},   {"--parent-pid", &arguments.parent_pid}};
  for (int i = 1; i < argc; i += 2) {
    std::string* target = nullptr;
    for (const auto& [name, field] : known) {
      if (name == argv[i]) target = field;
    }
    if (target == nullptr || i + 1 == argc) return std::nullopt;
    *target = argv[i + 1];
  }
  const bool complete =
      !arguments.data_dir.empty() && !arguments.http_port.empty() && !arguments.tcp_port.empty();
  return complete ? std::optional(arguments) : std::nullopt;
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path CacheFolder() {
  if (const std::string own = Environment("PENSTOCK_CACHE"); !own.empty()) return own;
  if (const std::string user = Environment("XDG_CACHE_HOME"); !user.empty()) {
    return fs::path(user) / "penstock";
  }
  return fs::path(Environment("HOME")) / ".cache" / "penstock";
}

// Where the library may be, first match wins. A place that was named counts alone.
std::vector<fs::path> LibraryPlaces(const std::string& named) {
  if (!named.empty()) return {named};
  if (const std::string set = Environment("PENSTOCK_LIBCHDB"); !set.empty()) return {set};
  std::error_code ignored;
  return {fs::read_symlink("/proc/self/exe", ignored).parent_path() / "libchdb.so",
          CacheFolder() / "libchdb" / "libchdb.so"};
}

std::optional<fs::path> FindLibrary(const std::vector<fs::path>& places) {
  std::error_code ignored;
  for (const fs::path& place : places) {
    if (fs::exists(place, ignored)) return place;
  }
  std::fprintf(stderr, "penstock-clickhouse: libchdb.so, the embedded ClickHouse, is not in\n");
  for (const fs::path& place : places) std::fprintf(stderr, "  %s\n", place.c_str());
  std::fprintf(stderr,
               "Bring it with `make libchdb`, or name it with --library or PENSTOCK_LIBCHDB.\n");
  return std::nullopt;
}

// SIGKILL: ClickHouse loses nothing by it, and no handler of the library can hold it up. The parent
// may have died before the call: then it is no longer our parent, and no signal will come.
bool DieWithParent(const std::string& parent_pid) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
  return parent_pid.empty() || std::to_string(getppid()) == parent_pid;
}

// Runs the server until the process is killed; returns only on failure.
int Serve(const Arguments& arguments, const fs::path& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    std::fprintf(stderr, "penstock-clickhouse: %s\n", dlerror());
    return 1;
  }
  // chdb_query_cmdline is clickhouse-local's main.
  using Main = void* (*)(int, char**);
  using ErrorOf = const char* (*)(void*);
  const auto run = reinterpret_cast<Main>(dlsym(handle, "chdb_query_cmdline"));
  const auto error_of = reinterpret_cast<ErrorOf>(dlsym(handle, "chdb_result_error"));
  if (run == nullptr || error_of == nullptr) {
    std::fprintf(stderr, "penstock-clickhouse: %s is not a usable libchdb\n", library.c_str());
    return 1;
  }

  // The last statement keeps the process alive.
  const std::string statements =
      "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; "
      "SELECT sum(sleepEachRow(1)) FROM system.numbers LIMIT 100000000 SETTINGS max_block_size=1";
  std::vector<std::string> words = {"penstock-clickhouse",
                                    "--path=" + arguments.data_dir,
                                    "--http_port=" + arguments.http_port,
                                    "--tcp_port=" + arguments.tcp_port,
                                    "--listen_host=" + arguments.listen,
                                    "--query",
                                    statements};
  std::vector<char*> argv;
  argv.reserve(words.size());
  for (std::string& word : words) argv.push_back(word.data());
  void* result = run(static_cast<int>(argv.size()), argv.data());
  const char* error = result == nullptr ? nullptr : error_of(result);
  std::fprintf(stderr, "penstock-clickhouse: the server ended: %s\n",
               error == nullptr ? "it says why above" : error);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Arguments> arguments = Parse(argc, argv);
  if (!arguments) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (!DieWithParent(arguments->parent_pid)) return 1;
  const std::optional<fs::path> library = FindLibrary(LibraryPlaces(arguments->libchdb));
  if (!library) return 1;
  std::error_code failed;
  fs::create_directories(arguments->data_dir, failed);
  if (failed) {
    std::fprintf(stderr, "penstock-clickhouse: %s: %s\n", arguments->data_dir.c_str(),
                 failed.message().c_str());
    return 1;
  }
  return Serve(*arguments, *library);
}
