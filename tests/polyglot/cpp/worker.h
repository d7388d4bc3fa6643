// Executes tasks of a pool, small enough to be copied and changed, with worker.cc; handlers.cc uses it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <grpcpp/grpcpp.h>

#include "grpcpool/v1/worker.grpc.pb.h"

namespace pb = grpcpool::v1;

class Worker;

// One attempt at a task, as its handler sees it.
class Attempt {
 public:
  Attempt(Worker& worker, const pb::Assignment& assignment) : worker_(worker), task_(assignment.task()), lease_(assignment.lease()) {}

  const pb::TaskInfo& task() const { return task_; }
  void Progress(double fraction, const std::string& message);
  void Log(const std::string& text);

  // Pauses the handler; true: the attempt was stopped, and the handler has to end.
  bool IsStoppedWithin(std::chrono::milliseconds time);

 private:
  friend class Worker;
  Worker& worker_;
  const pb::TaskInfo task_;
  const pb::Lease lease_;
  bool is_stopped_ = false;
};

// Executes an attempt and returns its result. It must end when the attempt is stopped; std::invalid_argument blames the payload.
using Handler = std::function<std::string(Attempt&)>;

class Worker {
 public:
  Worker(std::map<std::string, Handler> handlers, int slots) : handlers_(std::move(handlers)), slots_(slots) {}

  // Works until it is drained (OK), or the pool refuses it for good.
  grpc::Status Run(const std::shared_ptr<grpc::Channel>& channel);

  // Takes no more; Run returns when the rest is done.
  void Drain();

 private:
  friend class Attempt;
  using Stream = grpc::ClientReaderWriter<pb::ConnectRequest, pb::ConnectResponse>;

  grpc::Status Serve(pb::WorkerService::Stub& stub);
  void Execute(const std::shared_ptr<Attempt>& attempt, bool is_late);
  void Report(const Attempt& attempt, pb::Report report);
  void Beat();

  // These need the lock.
  void Take(const pb::ConnectResponse& response, Stream& stream);
  void Begin(const pb::Welcome& welcome, Stream& stream);
  void Stop(const std::string& token);
  void Heartbeat();
  void Credit(int slots);
  void SendDraining();
  void Send(const pb::ConnectRequest& message);
  void CloseIfDone();
  bool IsDone() const { return draining_ && held_.empty() && unaccepted_.empty(); }

  const std::map<std::string, Handler> handlers_;
  const int slots_;

  std::mutex lock_;  // guards all below
  std::condition_variable changed_;
  Stream* stream_ = nullptr;  // null while there is no connection
  std::map<std::string, std::shared_ptr<Attempt>> held_;  // by the tokens of the leases, but for those whose ending is reported
  std::deque<pb::Reports> unaccepted_;  // to be sent again after a resume
  std::string id_;
  int64_t sequence_ = 0;  // of the last reports
  int64_t received_ = 0;  // the sequence of the last assignments
  int running_ = 0;  // handlers that have not returned
  bool draining_ = false;
  bool ended_ = false;
  std::chrono::milliseconds interval_{5000};
  std::chrono::milliseconds pause_{100};
};
