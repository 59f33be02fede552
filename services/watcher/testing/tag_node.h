// For tests: a node that passes every call on to another, except that it answers the finality tags
// as it is told to. Safe for the test's thread and its own.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <thread>

namespace paymesh::watcher {

enum class TagMode {
  kHonest,       // what the other node says
  kThrottled,    // an error for each tag, of a node that is asked too often
  kFailing,      // another error that says nothing of the tag
  kNull,         // null for each tag
  kMalformed,    // a block without its hash
  kUnsupported,  // the error of a node that does not know tags
};

class TagNode {
 public:
  explicit TagNode(std::string upstream);
  ~TagNode();
  TagNode(const TagNode&) = delete;
  TagNode& operator=(const TagNode&) = delete;

  std::string url() const;
  void Set(TagMode mode) { mode_ = mode; }
  int asked() const { return asked_; }  // how often for tags

 private:
  void Run();
  std::string Answer(const std::string& body);

  const std::string upstream_;
  std::atomic<TagMode> mode_{TagMode::kHonest};
  std::atomic<int> asked_{0};
  std::atomic<bool> stopping_{false};
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
};

}  // namespace paymesh::watcher
