#include "cli/command_line.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cli/backup_command.h"
#include "cli/command_table.h"
#include "cli/completion.h"
#include "cli/key_commands.h"
#include "cli/manual.h"
#include "cli/output.h"
#include "cli/pipe_commands.h"
#include "cli/serve.h"
#include "cli/signals.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kExitSuccess = 0;
constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;
constexpr const char* kDefaultServer = "http://127.0.0.1:8124";

struct Arguments {
  PipeCommands::Options client{.server = {.url = kDefaultServer}};
  std::string data_dir;
  std::string key_name;
  std::string output = "table";
  ServeSources serve;
  std::string name;
  std::string table;
  std::vector<std::string> tables;
  std::vector<std::string> changes;
  std::string file;
  bool wait = false;
  bool watch = false;
  bool ddl = false;
  bool drop = false;
  bool with_secret_key = false;
  size_t limit = 100;

  OutputFormat format() const {
    if (output == "yaml") return OutputFormat::kYaml;
    return output == "json" ? OutputFormat::kJson : OutputFormat::kTable;
  }
};

using Action = std::function<Status(Signals&)>;

// Becomes the helper program, which stands beside this one.
Status ExecClickHouse(const std::vector<std::string>& words) {
  std::error_code error;
  const fs::path helper =
      fs::read_symlink("/proc/self/exe", error).parent_path() / "penstock-clickhouse";
  std::vector<std::string> copies = words;
  copies.insert(copies.begin(), helper.string());
  std::vector<char*> pointers;
  pointers.reserve(copies.size() + 1);
  for (std::string& word : copies) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execv(helper.c_str(), pointers.data());
  return Fail(ErrorCode::kNeedsUser, "cannot run {}: {}", helper.string(), std::strerror(errno));
}

// What its value is called; shells complete the names of files.
std::string ValueName(const ServeOption& option) {
  for (const std::string_view end : {"File", "file", "tls.cert", "tls.key"}) {
    if (option.key.ends_with(end)) return "FILE";
  }
  return option.key.ends_with("Dir") || option.key.ends_with("dir") ? "DIR" : "TEXT";
}

void AddServeOption(CLI::App& serve, const ServeOption& option, std::vector<ServeSetting>& flags) {
  const std::string flag = option.Flag();
  if (flag.empty()) return;
  const auto give = [&option, &flags, flag](const std::string& value) {
    ServeOptions ignored;  // a wrong value is wrong usage
    const Status right = option.set(value, {}, ignored);
    if (!right) throw CLI::ValidationError(flag, right.error().message);
    flags.push_back({.option = &option, .value = value, .place = flag});
  };
  const std::string help =
      fmt::format("{}. In the environment: {}", option.help, option.Variable());
  switch (option.kind) {
    case ServeOption::Kind::kSwitch:
      serve.add_flag_callback(
          flag, [give] { give("true"); }, help);
      break;
    case ServeOption::Kind::kList:
      serve.add_option_function<std::vector<std::string>>(
          flag, [give](const auto& values) { give(CLI::detail::join(values, ",")); }, help);
      break;
    default:
      serve.add_option_function<std::string>(flag, give, help)->type_name(ValueName(option));
  }
}

void AddServe(CLI::App& app, Arguments& arguments, Action& action) {
  CLI::App* serve = app.add_subcommand(
      "serve", "Run the server: API and pipes. On SIGHUP it reads its configuration again");
  ServeSources& given = arguments.serve;
  serve->add_option("--config", given.config, "YAML file with the options below")
      ->type_name("FILE")
      ->envname("PENSTOCK_CONFIG");
  for (const ServeOption& option : ServeOptionTable()) AddServeOption(*serve, option, given.flags);
  // For the tests of this project, so --help is silent about it (CONTRIBUTING.md is not).
  serve->add_flag("--test-limits", given.test_limits)->group("");
  serve->callback([&] { action = [&](Signals& signals) { return Serve(given, signals); }; });
}

// Words of its own. Help is ours.
bool IsForHelper(const std::vector<std::string_view>& words) {
  const auto asked = [&](std::string_view word) { return std::ranges::count(words, word) != 0; };
  return !words.empty() && words[0] == "clickhouse" && !asked("--help") && !asked("-h");
}

// For --help only: Main has handed these words to the helper before they are parsed.
void AddClickHouse(CLI::App& app) {
  CLI::App* clickhouse =
      app.add_subcommand("clickhouse",
                         "Run a ClickHouse from the embedded library: --data-dir DIR "
                         "--http-port N --tcp-port N");
  clickhouse->allow_extras();
}

// A command over the API: `run` with the client's commands.
CLI::App* AddCommand(CLI::App& app, Arguments& arguments, Action& action, const char* name,
                     const char* description,
                     std::function<Status(PipeCommands&, const Arguments&)> run) {
  CLI::App* command = app.add_subcommand(name, description);
  command->callback([&arguments, &action, run = std::move(run)] {
    action = [&arguments, run](Signals& signals) -> Status {
      arguments.client.yaml = arguments.format() == OutputFormat::kYaml;
      arguments.client.json = arguments.format() != OutputFormat::kTable;
      if (const char* secret = std::getenv("PENSTOCK_KEY_SECRET"); secret != nullptr) {
        arguments.client.server.key_secret = secret;
      }
      PipeCommands commands(arguments.client, signals.stop());
      return run(commands, arguments);
    };
  });
  return command;
}

void AddFileCommands(CLI::App& app, Arguments& arguments, Action& action) {
  CLI::App* check = AddCommand(
      app, arguments, action, "check",
      "Say what create would find and run; changes nothing. Exit code 1 if create would be refused",
      [](PipeCommands& commands, const Arguments& given) { return commands.Check(given.file); });
  CLI::App* create = AddCommand(app, arguments, action, "create", "Create a pipe from a file",
                                [](PipeCommands& commands, const Arguments& given) {
                                  return commands.Create(given.file, given.wait);
                                });
  create->add_flag("--wait", arguments.wait, "Until it runs, or has failed");
  for (CLI::App* command : {check, create}) {
    command
        ->add_option("-f,--file", arguments.file, "The pipe, in YAML or JSON; - is standard input")
        ->type_name("FILE")
        ->required();
  }
}

template <typename Add>
void AddHealingCommands(const Add& add, Arguments& arguments) {
  CLI::App* resync =
      add("resync", "Load tables of a pipe anew, beside what is there until all are in",
          [](PipeCommands& commands, const Arguments& given) {
            return commands.Resync(given.name, given.tables, given.wait);
          });
  resync
      ->add_option("--table", arguments.tables,
                   "SCHEMA.TABLE of the source, any number (all); `a.b`.`c:d` where a name has a "
                   "dot or a colon")
      ->type_name("TABLE");
  resync->add_flag("--wait", arguments.wait, "Until they are in place, or cannot be");
  CLI::App* retry = add("retry", "Follow quarantined tables again from where they were left",
                        [](PipeCommands& commands, const Arguments& given) {
                          return commands.Retry(given.name, given.tables, given.wait);
                        });
  retry
      ->add_option("--table", arguments.tables,
                   "SCHEMA.TABLE of the source, any number (all that are quarantined); "
                   "`a.b`.`c:d` where a name has a dot or a colon")
      ->type_name("TABLE");
  retry->add_flag("--wait", arguments.wait, "Until they are followed, or cannot be");
}

template <typename Add>
void AddEditCommands(const Add& add, Arguments& arguments) {
  CLI::App* add_table = add("add-table", "Take tables into a pipe, while the others go on",
                            [](PipeCommands& commands, const Arguments& given) {
                              return commands.AddTables(given.name, given.tables, given.wait);
                            });
  CLI::App* remove_table =
      add("remove-table", "Take tables out of a pipe; in ClickHouse they stay",
          [](PipeCommands& commands, const Arguments& given) {
            return commands.RemoveTables(given.name, given.tables, given.drop, given.wait);
          });
  add_table
      ->add_option("SOURCE", arguments.tables,
                   "SCHEMA.TABLE[:TARGET], any number; `a.b`.`c:d` where a "
                   "name has a dot or a colon")
      ->required();
  remove_table
      ->add_option("TABLE", arguments.tables,
                   "SCHEMA.TABLE, any number; `a.b`.`c:d` where a name has a dot or a colon")
      ->required();
  remove_table->add_flag("--drop", arguments.drop, "Drop them in ClickHouse");
  for (CLI::App* command : {add_table, remove_table}) {
    command->add_flag("--wait", arguments.wait, "Until the pipe runs again, or cannot");
  }
}

void AddNameCommands(CLI::App& app, Arguments& arguments, Action& action) {
  const auto add = [&](const char* name, const char* description,
                       std::function<Status(PipeCommands&, const Arguments&)> run) {
    CLI::App* command = AddCommand(app, arguments, action, name, description, std::move(run));
    command->add_option("NAME", arguments.name, "Name or id of the pipe")->required();
    return command;
  };
  add("show", "One pipe, its settings and state",
      [](PipeCommands& commands, const Arguments& given) { return commands.Show(given.name); });
  add("tables", "The tables of a pipe", [](PipeCommands& commands, const Arguments& given) {
    return commands.Tables(given.name, given.ddl);
  })->add_flag("--ddl", arguments.ddl, "The CREATE TABLE statements that were run");
  add("events", "What happened to a pipe, newest first",
      [](PipeCommands& commands, const Arguments& given) {
        return commands.Events(given.name, given.limit);
      })
      ->add_option("--limit", arguments.limit, "How many (100)")
      ->check(CLI::Range(1, 1000));
  add("errors", "What went wrong with a pipe: the warnings and errors among its events",
      [](PipeCommands& commands, const Arguments& given) {
        return commands.Errors(given.name, given.limit);
      })
      ->add_option("--limit", arguments.limit, "How many (100)")
      ->check(CLI::Range(1, 1000));
  add("batches", "What a pipe's stream wrote, newest first",
      [](PipeCommands& commands, const Arguments& given) {
        return commands.Batches(given.name, given.limit);
      })
      ->add_option("--limit", arguments.limit, "How many (100)")
      ->check(CLI::Range(1, 1000));
  CLI::App* partitions = add("partitions", "What a pipe's snapshot reads, begun last first",
                             [](PipeCommands& commands, const Arguments& given) {
                               return commands.Partitions(given.name, given.table, given.limit);
                             });
  partitions->add_option("TABLE", arguments.table, "SCHEMA.TABLE of the source (all)");
  partitions->add_option("--limit", arguments.limit, "How many (100)")->check(CLI::Range(1, 1000));
  add("pause", "Stop a pipe; it goes on where it was with resume",
      [](PipeCommands& commands, const Arguments& given) {
        return commands.Pause(given.name, given.wait);
      })
      ->add_flag("--wait", arguments.wait, "Until it is paused");
  add("resume", "Start a paused or failed pipe",
      [](PipeCommands& commands, const Arguments& given) {
        return commands.Resume(given.name, given.wait);
      })
      ->add_flag("--wait", arguments.wait, "Until it flows again, or has failed");
  AddHealingCommands(add, arguments);
  AddEditCommands(add, arguments);
  add("set", "Change settings, name or servers of a pipe; what runs goes on with them",
      [](PipeCommands& commands, const Arguments& given) {
        return commands.Set(given.name, given.changes);
      })
      ->add_option(
          "KEY=VALUE", arguments.changes,
          "A setting (pullBatchSize=50000), host, port, name, or the path of a field "
          "(source.mysql.credentials.passwordEnv=DB_PASSWORD; a password itself is refused)")
      ->required();
  CLI::App* forget = add("delete", "Forget a pipe; its tables in ClickHouse stay",
                         [](PipeCommands& commands, const Arguments& given) {
                           return commands.Delete(given.name, given.drop, given.wait);
                         });
  forget->add_flag("--drop", arguments.drop, "Drop them in ClickHouse");
  forget->add_flag("--wait", arguments.wait, "Until it is gone");
  add("status", "State, speed and progress of a pipe",
      [](PipeCommands& commands, const Arguments& given) {
        return commands.ShowStatus(given.name, given.watch);
      })
      ->add_flag("--watch", arguments.watch, "Live, until Ctrl-C");
}

// Of what works on the data directory itself, whether or not a server runs on it.
void AddDataDir(CLI::App& command, Arguments& arguments) {
  command.add_option("--data-dir", arguments.data_dir, "Of the server (as of serve)")
      ->type_name("DIR")
      ->envname("PENSTOCK_DATA_DIR");
}

void AddBackup(CLI::App& app, Arguments& arguments, Action& action) {
  CLI::App* backup = app.add_subcommand(
      "backup", "Copy the catalog and what belongs to it into a tar file, while the server runs");
  AddDataDir(*backup, arguments);
  backup->add_option("FILE", arguments.file, "To be made")->required();
  backup->add_flag("--with-secret-key", arguments.with_secret_key,
                   "With the key that opens the passwords in it");
  backup->callback([&arguments, &action] {
    action = [&arguments](Signals&) {
      const auto& data_dir = arguments.data_dir;
      return BackUpDataDir({.data_dir = data_dir.empty() ? DefaultDataDir() : fs::path(data_dir),
                            .file = arguments.file,
                            .with_secret_key = arguments.with_secret_key,
                            .format = arguments.format()});
    };
  });
}

// What is made of the table of the commands itself.
void AddGenerated(CLI::App& app, Arguments& arguments, Action& action) {
  CLI::App* completion =
      app.add_subcommand("completion", "Print a script that completes commands in a shell");
  completion->add_option("SHELL", arguments.name, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&app, &arguments, &action] {
    action = [&app, &arguments](Signals&) -> Status {
      PENSTOCK_ASSIGN(const std::string script, CompletionScript(TableOf(app), arguments.name));
      Print(script);
      return {};
    };
  });
  // For the package, and for the scripts of `completion`: not for people.
  app.add_subcommand("manual", "Print the manual page")->group("")->callback([&app, &action] {
    action = [&app](Signals&) {
      Print(ManualPage(TableOf(app)));
      return Status();
    };
  });
  AddCommand(app, arguments, action, "pipe-names", "Print the names of the pipes",
             [](PipeCommands& commands, const Arguments&) { return commands.ListNames(); })
      ->group("");
  CLI::App* tables = AddCommand(app, arguments, action, "table-names",
                                "Print the names of a pipe's tables at the source",
                                [](PipeCommands& commands, const Arguments& given) {
                                  return commands.ListTableNames(given.name);
                                });
  tables->group("")->add_option("NAME", arguments.name, "Name or id of the pipe")->required();
}

void AddKeys(CLI::App& app, Arguments& arguments, Action& action) {
  CLI::App* keys = app.add_subcommand("keys", "Keys of the API: who has one may use it");
  keys->require_subcommand(1);
  AddDataDir(*keys, arguments);
  const auto add = [&](const char* name, const char* description,
                       std::function<Status(const Arguments&)> run) {
    CLI::App* command = keys->add_subcommand(name, description);
    command->callback([&arguments, &action, run = std::move(run)] {
      action = [&arguments, run](Signals&) {
        if (arguments.data_dir.empty()) arguments.data_dir = DefaultDataDir();
        return run(arguments);
      };
    });
    return command;
  };
  add("create", "Make a key; its secret is told only now", [](const Arguments& given) {
    return CreateKey(given.data_dir, given.key_name, given.format());
  })->add_option("--name", arguments.key_name, "What it is for");
  add("list", "All keys, without their secrets",
      [](const Arguments& given) { return ListKeys(given.data_dir, given.format()); });
  add("delete", "Delete a key; a running server knows it no more",
      [](const Arguments& given) { return DeleteKey(given.data_dir, given.name, given.format()); })
      ->add_option("ID", arguments.name, "Of the key")
      ->required();
}

// What serve takes beside its flags.
std::string OptionsWithoutFlag() {
  std::string text = "In the environment or the file only:\n";
  for (const ServeOption& option : ServeOptionTable()) {
    if (!option.Flag().empty()) continue;
    text += fmt::format("  {}, {}: {}\n", option.Variable(), option.key, option.help);
  }
  return text + "\n";
}

void AddExamples(CLI::App& app, const std::string& prefix) {
  for (CLI::App* command : app.get_subcommands({})) {
    const std::string name = prefix + command->get_name();
    AddExamples(*command, name + " ");
    std::string text;
    for (const std::string& line : ExamplesOf(name)) text += "  " + line + "\n";
    if (text.empty()) continue;
    command->footer((name == "serve" ? OptionsWithoutFlag() : "") + "Examples:\n" + text);
  }
}

// The commands and options, what their parsing fills in, and what is to be done then.
struct CommandLine {
  CommandLine();
  CLI::App app{"Replicates MySQL and MariaDB into ClickHouse.", "penstock"};
  Arguments arguments;
  Action action;
};

CommandLine::CommandLine() {
  app.set_version_flag("--version", "penstock " PENSTOCK_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--server", arguments.client.server.url,
                 "URL of the server the command is for (http://127.0.0.1:8124)")
      ->envname("PENSTOCK_SERVER");
  app.add_option("--key-id", arguments.client.server.key_id,
                 "Key of the API; its secret is read from PENSTOCK_KEY_SECRET")
      ->envname("PENSTOCK_KEY_ID");
  app.add_option("--ca-file", arguments.client.server.ca_file,
                 "What the server's certificate is verified against, in PEM")
      ->envname("PENSTOCK_CA_FILE");
  app.add_option("--output", arguments.output, "table, json or yaml")
      ->check(CLI::IsMember({"table", "json", "yaml"}));
  app.footer(
      "Exit codes: 0 what was asked for is done; 1 it is not (an error, or check found one; "
      "warnings are none); 2 the command line is wrong.");
  AddServe(app, arguments, action);
  AddClickHouse(app);
  AddFileCommands(app, arguments, action);
  AddCommand(app, arguments, action, "list", "All pipes",
             [](PipeCommands& commands, const Arguments&) { return commands.List(); });
  AddNameCommands(app, arguments, action);
  AddKeys(app, arguments, action);
  AddBackup(app, arguments, action);
  AddGenerated(app, arguments, action);
  AddExamples(app, "");
}

int Run(const Action& action) {
  Signals signals;
  const Status done = action(signals);
  if (done) return kExitSuccess;
  PrintError(done.error().ToString());
  return kExitFailure;
}

}  // namespace

CommandTable Commands() { return TableOf(CommandLine().app); }

Status CheckWords(const std::string& words) {
  try {
    CommandLine().app.parse(words);
  } catch (const CLI::ParseError& error) {
    return Fail(ErrorCode::kInvalidArgument, "{}", error.what());
  }
  return {};
}

int Main(int argc, char** argv) {
  // A client that went away, or a disk quota, is an error of the call, not the end of the process.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  if (IsForHelper({argv + 1, argv + argc})) {
    const Status failed = ExecClickHouse({argv + 2, argv + argc});
    PrintError(failed.error().ToString());
    return kExitFailure;
  }
  CommandLine line;
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return line.app.exit(help);
  } catch (const CLI::ParseError& error) {
    PrintError(fmt::format("{}. See penstock --help", error.what()));
    return kExitUsage;
  }
  return Run(line.action);
}

}  // namespace penstock::cli
