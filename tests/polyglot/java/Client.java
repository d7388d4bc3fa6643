import static java.util.concurrent.TimeUnit.SECONDS;

import com.google.protobuf.ByteString;
import grpcpool.v1.CancelRequest;
import grpcpool.v1.SubmitRequest;
import grpcpool.v1.TaskInfo;
import grpcpool.v1.TaskPoolServiceGrpc;
import grpcpool.v1.TaskPoolServiceGrpc.TaskPoolServiceBlockingStub;
import grpcpool.v1.TaskSpec;
import grpcpool.v1.TaskState;
import grpcpool.v1.TaskView;
import grpcpool.v1.WatchEvent;
import grpcpool.v1.WatchRequest;
import grpcpool.v1.WatchResponse;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * A client of GrpcPool, small enough to be copied and changed: bin/client submit KIND [PAYLOAD] | watch ID | cancel ID.
 * The server is the one at GRPCPOOL_ADDRESS (127.0.0.1:50051 unless set).
 */
public final class Client {
    /** The channel itself repeats these calls while the server is out of reach: with an id in each task they are harmless to repeat. */
    private static final Map<String, ?> REPEAT = Map.of("methodConfig", List.of(Map.of(
        "name", List.of(Map.of("service", "grpcpool.v1.TaskPoolService", "method", "Submit"), Map.of("service", "grpcpool.v1.TaskPoolService", "method", "Cancel")),
        "retryPolicy", Map.of("maxAttempts", 5.0, "initialBackoff", "0.2s", "maxBackoff", "5s", "backoffMultiplier", 2.0, "retryableStatusCodes", List.of("UNAVAILABLE")))));

    private final TaskPoolServiceBlockingStub stub;

    Client(ManagedChannel channel) {
        stub = TaskPoolServiceGrpc.newBlockingStub(channel).withWaitForReady();
    }

    /** Submits a task. Its id makes a repeated call harmless: take your own where you have one. */
    TaskInfo submit(String kind, ByteString payload) {
        var spec = TaskSpec.newBuilder().setId(UUID.randomUUID().toString()).setKind(kind).setPayload(payload);
        return stub.withDeadlineAfter(30, SECONDS).submit(SubmitRequest.newBuilder().setTask(spec).build()).getTask();
    }

    /** Hands on every change of a task, until its end. When the stream breaks, it goes on where it stood. */
    void watch(String id, Consumer<TaskInfo> seen) throws InterruptedException {
        var request = WatchRequest.newBuilder().addIds(id).setView(TaskView.TASK_VIEW_FULL);
        while (true) {
            try {
                for (Iterator<WatchResponse> messages = stub.watch(request.build()); messages.hasNext(); ) {
                    WatchResponse message = messages.next();
                    message.getEventsList().stream().filter(WatchEvent::hasTask).map(WatchEvent::getTask).forEach(seen);
                    if (message.getRevision() > 0) {
                        request.setAfterRevision(message.getRevision());
                    }
                }
                return;
            } catch (StatusRuntimeException e) {
                if (e.getStatus().getCode() == Status.Code.OUT_OF_RANGE && request.getAfterRevision() > 0) {
                    request.clearAfterRevision(); // too long ago: the task comes anew, as a snapshot
                } else if (e.getStatus().getCode() == Status.Code.UNAVAILABLE) {
                    Thread.sleep(200);
                } else {
                    throw e;
                }
            }
        }
    }

    /** Asks for the end of a task. */
    TaskInfo cancel(String id, String reason) {
        var request = CancelRequest.newBuilder().setId(id).setReason(reason).build();
        return stub.withDeadlineAfter(30, SECONDS).cancel(request).getTask();
    }

    private static void show(TaskInfo task) {
        System.out.printf("%s %.0f%% %s%n", task.getState(), 100 * task.getProgress().getFraction(), task.getProgress().getMessage());
        if (task.getState() == TaskState.TASK_STATE_SUCCEEDED) {
            System.out.println("result: " + task.getResult().toStringUtf8());
        } else if (task.hasFinishedAt()) {
            System.out.println("failure: " + task.getFailure().getMessage());
        }
    }

    public static void main(String[] arguments) throws InterruptedException {
        String address = System.getenv().getOrDefault("GRPCPOOL_ADDRESS", "127.0.0.1:50051");
        ManagedChannel channel = ManagedChannelBuilder.forTarget(address).usePlaintext().defaultServiceConfig(REPEAT).enableRetry().build();
        var client = new Client(channel);
        try {
            switch (arguments[0]) {
                case "submit" -> {
                    String payload = arguments.length > 2 ? arguments[2] : "";
                    System.out.println(client.submit(arguments[1], ByteString.copyFromUtf8(payload)).getId());
                }
                case "watch" -> client.watch(arguments[1], Client::show);
                case "cancel" -> System.out.println(client.cancel(arguments[1], "cancelled from Java").getState());
                default -> throw new IllegalArgumentException("usage: client submit KIND [PAYLOAD] | watch ID | cancel ID");
            }
        } finally {
            channel.shutdownNow();
        }
    }
}
