#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;  // zlib's

namespace penstock::binlog {

// zlib for bytes whose length is known. Keeps zlib's memory, about 7 KB, from the first use on. One
// thread at a time.
class Inflater {
 public:
  enum class Form { kZlib, kRaw };  // raw: without zlib's header and checksum

  // Appends to `out` what the whole of `deflated` stands for, which has `length` bytes. False when
  // it has not, or cannot have: then nothing was allocated; or when it is of another form: `out`
  // then holds anything.
  bool Append(std::string_view deflated, Form form, size_t length, std::string& out);

 private:
  struct End {
    void operator()(z_stream_s* stream) const;
  };
  std::unique_ptr<z_stream_s, End> stream_;
};

}  // namespace penstock::binlog
