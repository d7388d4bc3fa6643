// A client of GrpcPool, small enough to be copied and changed: bin/client submit KIND [PAYLOAD] | watch ID | cancel ID.
// The server is the one at GRPCPOOL_ADDRESS (127.0.0.1:50051 unless set).

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

#include <grpcpp/grpcpp.h>

#include "grpcpool/v1/task_pool.grpc.pb.h"

using namespace grpcpool::v1;
using grpc::ClientContext;
using grpc::Status;
using grpc::StatusCode;

// The channel itself repeats these calls while the server is out of reach: with an id in each task they are harmless to repeat.
constexpr char kRepeat[] = R"({"methodConfig": [{
    "name": [{"service": "grpcpool.v1.TaskPoolService", "method": "Submit"}, {"service": "grpcpool.v1.TaskPoolService", "method": "Cancel"}],
    "retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.2s", "maxBackoff": "5s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]})";

class Pool {
 public:
  explicit Pool(std::shared_ptr<grpc::Channel> channel) : stub_(TaskPoolService::NewStub(channel)) {}

  // Submits a task. Its id makes a repeated call harmless: take your own where you have one.
  TaskInfo Submit(const std::string& kind, const std::string& payload) {
    SubmitRequest request;
    SubmitResponse answer;
    request.mutable_task()->set_id(NewId());
    request.mutable_task()->set_kind(kind);
    request.mutable_task()->set_payload(payload);
    ClientContext call;
    call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    Check(stub_->Submit(&call, request, &answer));
    return answer.task();
  }

  // Calls `seen` with every change of a task, until its end. When the stream breaks, it goes on where it stood.
  void Watch(const std::string& id, const std::function<void(const TaskInfo&)>& seen) {
    WatchRequest request;
    request.add_ids(id);
    request.set_view(TASK_VIEW_FULL);
    while (true) {
      ClientContext call;
      call.set_wait_for_ready(true);
      auto stream = stub_->Watch(&call, request);
      for (WatchResponse message; stream->Read(&message);) {
        for (const WatchEvent& event : message.events())
          if (event.has_task()) seen(event.task());
        if (message.revision() > 0) request.set_after_revision(message.revision());
      }
      Status status = stream->Finish();
      if (status.ok()) return;
      if (status.error_code() == StatusCode::OUT_OF_RANGE && request.after_revision() > 0)
        request.clear_after_revision();  // too long ago: the task comes anew, as a snapshot
      else if (status.error_code() == StatusCode::UNAVAILABLE)
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
      else
        Check(status);
    }
  }

  // Asks for the end of a task.
  TaskInfo Cancel(const std::string& id, const std::string& reason) {
    CancelRequest request;
    CancelResponse answer;
    request.set_id(id);
    request.set_reason(reason);
    ClientContext call;
    call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    Check(stub_->Cancel(&call, request, &answer));
    return answer.task();
  }

 private:
  static void Check(const Status& status) {
    if (!status.ok()) throw std::runtime_error(status.error_message());
  }

  static std::string NewId() {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::random_device random;
    std::string id(32, '0');
    for (char& digit : id) digit = kDigits[random() % 16];
    return id;
  }

  std::unique_ptr<TaskPoolService::Stub> stub_;
};

void Show(const TaskInfo& task) {
  std::printf("%s %.0f%% %s\n", TaskState_Name(task.state()).c_str(), 100 * task.progress().fraction(), task.progress().message().c_str());
  if (task.state() == TASK_STATE_SUCCEEDED)
    std::cout << "result: " << task.result() << std::endl;
  else if (task.has_finished_at())
    std::cout << "failure: " << task.failure().message() << std::endl;
}

int main(int count, char** arguments) try {
  const char* address = std::getenv("GRPCPOOL_ADDRESS");
  grpc::ChannelArguments options;
  options.SetServiceConfigJSON(kRepeat);
  Pool pool(grpc::CreateCustomChannel(address ? address : "127.0.0.1:50051", grpc::InsecureChannelCredentials(), options));
  std::string verb = count > 2 ? arguments[1] : "";
  if (verb == "submit")
    std::cout << pool.Submit(arguments[2], count > 3 ? arguments[3] : "").id() << std::endl;
  else if (verb == "watch")
    pool.Watch(arguments[2], Show);
  else if (verb == "cancel")
    std::cout << TaskState_Name(pool.Cancel(arguments[2], "cancelled from C++").state()) << std::endl;
  else
    throw std::runtime_error("usage: client submit KIND [PAYLOAD] | watch ID | cancel ID");
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << std::endl;
  return 1;
}
