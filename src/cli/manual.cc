#include "cli/manual.h"

#include <fmt/format.h>

#include "cli/serve_options.h"

namespace penstock::cli {
namespace {

constexpr std::string_view kDescription =
    "penstock replicates chosen tables of MySQL and MariaDB servers into ClickHouse: first a "
    "parallel "
    "snapshot, then every change from the binary log. \"penstock serve\" runs everything; the "
    "other "
    "commands speak to it over its API, but for keys and backup, which work on its data directory.";

constexpr std::string_view kEnd = R"(.TP
.B PENSTOCK_KEY_SECRET
Secret of the key of the API that \fB\-\-key\-id\fR names.
.TP
.B NO_COLOR
Nothing is printed in colours.
.SH SIGNALS
.TP
.B SIGHUP
.B penstock serve
reads its configuration file again, and opens its log file anew.
.TP
.BR SIGTERM ", " SIGINT
Ends a command;
.B penstock serve
settles what is in flight first.
.SH EXIT STATUS
.TP
.B 0
What was asked for is done.
.TP
.B 1
It is not, or check found an error; the reason is on standard error, in one line. Warnings are no
errors. What a server that is stopped by a signal could not settle is no error either.
.TP
.B 2
The command line is wrong.
.TP
.B 130
A second signal ended a command that was being stopped.
.SH FILES
.TP
.I /etc/penstock/penstock.yaml
The configuration of the service, where the package installs it.
.TP
.I /var/lib/penstock
Its data directory.
.SH SEE ALSO
The documents in
.IR /usr/share/doc/penstock/docs ,
operations.md and configuration.md above all.
)";

// Text as man(7) shows it unchanged; hyphens stay what one can copy.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  const bool is_request = escaped.starts_with('.') || escaped.starts_with('\'');
  return is_request ? "\\&" + escaped : escaped;
}

std::string Usage(const OptionEntry& entry) {
  std::string text;
  for (const std::string& flag : entry.flags) {
    text += fmt::format("{}\\fB{}\\fR", text.empty() ? "" : ", ", Escaped(flag));
  }
  if (entry.value.empty()) return text;
  return fmt::format("{}{}\\fI{}\\fR", text, text.empty() ? "" : " ", Escaped(entry.value));
}

std::string Options(const std::vector<OptionEntry>& options) {
  std::string text;
  for (const OptionEntry& option : options) {
    text += fmt::format(".TP\n{}\n{}", Usage(option), Escaped(option.help));
    if (!option.choices.empty()) text += fmt::format(" ({})", fmt::join(option.choices, ", "));
    if (!option.variable.empty()) {
      text += fmt::format(". In the environment: \\fB{}\\fR", option.variable);
    }
    text += ".\n";
  }
  return text;
}

std::string Synopsis(const CommandEntry& command) {
  std::string text = fmt::format("\\fBpenstock {}\\fR", Escaped(command.name));
  bool others = false;
  for (const OptionEntry& option : command.options) {
    others = others || (!option.flags.empty() && !option.required);
    if (!option.required && !option.flags.empty()) continue;
    const std::string dots = option.repeatable ? "..." : "";
    text += option.required ? fmt::format(" {}{}", Usage(option), dots)
                            : fmt::format(" [{}{}]", Usage(option), dots);
  }
  return text + (others ? " [\\fIoptions\\fR]" : "");
}

std::string Section(const CommandEntry& command) {
  std::string text = fmt::format(".SS {}\n{}\n.PP\n{}.\n", Escaped(command.name), Synopsis(command),
                                 Escaped(command.help));
  text += Options(command.options);
  if (command.examples.empty()) return text;
  text += ".PP\n.EX\n";
  for (const std::string& line : command.examples) text += Escaped(line) + "\n";
  return text + ".EE\n";
}

}  // namespace

std::string ManualPage(const CommandTable& table) {
  std::string text = fmt::format(
      ".TH PENSTOCK 1 \"\" \"penstock {}\" \"penstock\"\n.SH NAME\n"
      "penstock \\- replicates MySQL and MariaDB into ClickHouse\n.SH SYNOPSIS\n"
      ".B penstock\n.I command\n[\\fIoptions\\fR]\n.SH DESCRIPTION\n{}\n"
      ".SH OPTIONS\nOf every command, before or after it:\n",
      PENSTOCK_VERSION, Escaped(kDescription));
  text += Options(table.options);
  text += ".SH COMMANDS\n";
  for (const CommandEntry& command : table.commands) text += Section(command);
  text += ".SH ENVIRONMENT\n";
  for (const ServeOption& option : ServeOptionTable()) {
    if (!option.Flag().empty()) continue;
    text += fmt::format(".TP\n.B {}\nFor \\fBpenstock serve\\fR: {}.\n", option.Variable(),
                        Escaped(option.help));
  }
  return text.append(kEnd);
}

}  // namespace penstock::cli
