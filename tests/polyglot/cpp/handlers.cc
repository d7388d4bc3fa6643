// A worker for the kinds cpp.reverse and cpp.count, at the server of GRPCPOOL_ADDRESS (127.0.0.1:50051 unless set).
// On SIGTERM it takes no more tasks, finishes those that it has, and ends.

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

#include "worker.h"

std::string Reverse(Attempt& attempt) {
  const std::string& payload = attempt.task().payload();
  return std::string(payload.rbegin(), payload.rend());
}

// Counts to the number in the payload, ten a second.
std::string Count(Attempt& attempt) {
  int steps = std::stoi(attempt.task().payload());
  for (int step = 1; step <= steps; step++) {
    if (attempt.IsStoppedWithin(std::chrono::milliseconds(100))) throw std::runtime_error("stopped at " + std::to_string(step));
    attempt.Progress(double(step) / steps, std::to_string(step) + " of " + std::to_string(steps));
    attempt.Log(std::to_string(step) + "\n");
  }
  return std::to_string(steps);
}

int main() {
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, nullptr);  // in every thread; one waits for it

  const char* given = std::getenv("GRPCPOOL_ADDRESS");
  std::string address = given ? given : "127.0.0.1:50051";
  if (address.rfind("http://", 0) == 0) address.erase(0, 7);
  grpc::ChannelArguments options;  // a dead connection is noticed within 20 s, and one that is lost is tried again at once
  options.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10000);
  options.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  options.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  options.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000);
  auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), options);
  Worker worker({{"cpp.reverse", Reverse}, {"cpp.count", Count}}, 4);
  std::thread([&worker, term] {
    int signal;
    sigwait(&term, &signal);
    worker.Drain();
  }).detach();

  grpc::Status status = worker.Run(channel);
  if (!status.ok()) std::cerr << status.error_message() << std::endl;
  return status.ok() ? 0 : 1;
}
