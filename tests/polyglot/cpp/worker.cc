#include "worker.h"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include <unistd.h>

using grpc::Status;
using grpc::StatusCode;
using Guard = std::unique_lock<std::mutex>;

void Attempt::Progress(double fraction, const std::string& message) {
  pb::Report report;
  report.mutable_progress()->set_fraction(fraction);
  report.mutable_progress()->set_message(message);
  worker_.Report(*this, report);
}

void Attempt::Log(const std::string& text) {
  pb::Report report;
  report.set_log(text);
  worker_.Report(*this, report);
}

bool Attempt::IsStoppedWithin(std::chrono::milliseconds time) {
  Guard guard(worker_.lock_);
  return worker_.changed_.wait_for(guard, time, [this] { return is_stopped_; });
}

Status Worker::Run(const std::shared_ptr<grpc::Channel>& channel) {
  auto stub = pb::WorkerService::NewStub(channel);
  std::thread beating(&Worker::Beat, this);
  Status status;
  Guard guard(lock_);
  while (!IsDone()) {
    guard.unlock();
    status = Serve(*stub);
    guard.lock();
    auto code = status.error_code();
    if (code == StatusCode::INVALID_ARGUMENT || code == StatusCode::FAILED_PRECONDITION || code == StatusCode::UNAUTHENTICATED || code == StatusCode::UNIMPLEMENTED) break;
    changed_.wait_for(guard, pause_, [this] { return IsDone(); });
    pause_ = std::min(2 * pause_, std::chrono::milliseconds(5000));
  }
  for (auto& [token, attempt] : held_) attempt->is_stopped_ = true;
  ended_ = true;
  changed_.notify_all();
  changed_.wait(guard, [this] { return running_ == 0; });
  bool is_done = IsDone();
  guard.unlock();
  beating.join();
  return is_done ? Status::OK : status;
}

void Worker::Drain() {
  Guard guard(lock_);
  SendDraining();
}

Status Worker::Serve(pb::WorkerService::Stub& stub) {
  grpc::ClientContext call;
  call.set_wait_for_ready(true);
  if (const char* token = std::getenv("GRPCPOOL_TOKEN")) call.AddMetadata("authorization", std::string("Bearer ") + token);
  auto stream = stub.Connect(&call);
  const char* name = std::getenv("GRPCPOOL_WORKER_NAME");  // from the server that supervises it
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  pb::ConnectRequest request;
  pb::Hello& hello = *request.mutable_hello();
  hello.set_worker_name(name ? name : std::string(host) + "-" + std::to_string(getpid()));
  for (auto& [kind, handler] : handlers_) hello.add_kinds(kind);
  hello.set_slots(slots_);
  hello.set_resume_worker_id(id_);
  stream->Write(request);  // its error comes with Finish
  for (pb::ConnectResponse response; stream->Read(&response);) {
    Guard guard(lock_);
    Take(response, *stream);
    CloseIfDone();
  }
  {
    Guard guard(lock_);
    stream_ = nullptr;
  }
  return stream->Finish();
}

void Worker::Take(const pb::ConnectResponse& response, Stream& stream) {
  if (response.has_welcome()) {
    Begin(response.welcome(), stream);
  } else if (response.has_assignments() && response.assignments().sequence() > received_) {
    received_ = response.assignments().sequence();
    for (const pb::Assignment& assignment : response.assignments().items()) {
      auto attempt = held_[assignment.lease().token()] = std::make_shared<Attempt>(*this, assignment);
      running_++;
      std::thread(&Worker::Execute, this, attempt, draining_).detach();  // Run waits for it
    }
  } else if (response.has_accepted()) {
    while (!unaccepted_.empty() && unaccepted_.front().sequence() <= response.accepted().sequence()) unaccepted_.pop_front();
  } else if (response.has_cancel()) {
    Stop(response.cancel().lease().token());
  } else if (response.has_lease_lost()) {
    Stop(response.lease_lost().lease().token());
    held_.erase(response.lease_lost().lease().token());
  } else if (response.has_drain()) {
    SendDraining();
  }
}

void Worker::Begin(const pb::Welcome& welcome, Stream& stream) {
  if (welcome.worker_id() != id_) {  // new to this pool, also when the pool has restarted: all sequences begin anew
    id_ = welcome.worker_id();
    received_ = sequence_ = 0;
    for (pb::Reports& reports : unaccepted_) reports.set_sequence(++sequence_);
  }
  stream_ = &stream;
  pause_ = std::chrono::milliseconds(100);
  interval_ = std::chrono::milliseconds(welcome.heartbeat_interval().seconds() * 1000 + welcome.heartbeat_interval().nanos() / 1000000);
  for (const pb::Reports& reports : unaccepted_) {
    pb::ConnectRequest message;
    *message.mutable_reports() = reports;
    Send(message);
  }
  Heartbeat();
  if (draining_)
    SendDraining();
  else
    Credit(slots_ - running_);
}

void Worker::Stop(const std::string& token) {
  auto held = held_.find(token);
  if (held != held_.end()) held->second->is_stopped_ = true;
  changed_.notify_all();
}

void Worker::Execute(const std::shared_ptr<Attempt>& attempt, bool is_late) {
  pb::Report ending;
  try {
    if (is_late) {  // assigned before the pool heard that the worker takes no more
      ending.mutable_released();
    } else {
      ending.mutable_succeeded()->set_result(handlers_.at(attempt->task().kind())(*attempt));
      ending.mutable_succeeded()->set_content_type("text/plain");
    }
  } catch (const std::invalid_argument& error) {
    ending.mutable_failed()->set_code(pb::FAILURE_CODE_INVALID_PAYLOAD);
    ending.mutable_failed()->set_message(error.what());
  } catch (const std::exception& error) {
    ending.mutable_failed()->set_message(error.what());
    ending.mutable_failed()->set_retryable(true);
  }
  Report(*attempt, ending);
  Guard guard(lock_);
  running_--;
  if (!draining_) Credit(1);
  changed_.notify_all();
}

void Worker::Report(const Attempt& attempt, pb::Report report) {
  Guard guard(lock_);
  auto held = held_.find(attempt.lease_.token());
  if (held == held_.end() || (report.has_progress() && !stream_)) return;  // the lease is lost; or the progress will be old when there is a connection
  bool is_ending = !report.has_progress() && !report.has_log();
  if (is_ending) held_.erase(held);
  *report.mutable_lease() = attempt.lease_;
  pb::ConnectRequest message;
  message.mutable_reports()->set_sequence(++sequence_);
  *message.mutable_reports()->add_items() = std::move(report);
  unaccepted_.push_back(message.reports());
  Send(message);
}

void Worker::Beat() {
  Guard guard(lock_);
  while (!changed_.wait_for(guard, interval_, [this] { return ended_; })) Heartbeat();
}

void Worker::Heartbeat() {
  pb::ConnectRequest message;
  message.mutable_heartbeat()->set_received_sequence(received_);
  for (auto& [token, attempt] : held_) message.mutable_heartbeat()->add_tokens(token);
  Send(message);
}

void Worker::Credit(int slots) {
  if (slots < 1) return;
  pb::ConnectRequest message;
  message.mutable_credit()->set_slots(slots);
  Send(message);
}

void Worker::SendDraining() {
  draining_ = true;
  pb::ConnectRequest message;
  message.mutable_draining();
  Send(message);
  CloseIfDone();
}

// An error of the stream ends its Read too, and with it Serve.
void Worker::Send(const pb::ConnectRequest& message) {
  if (stream_) stream_->Write(message);
}

void Worker::CloseIfDone() {
  if (!stream_ || !IsDone()) return;
  stream_->WritesDone();
  stream_ = nullptr;
}
