import com.google.protobuf.ByteString;
import com.google.protobuf.util.Durations;
import grpcpool.v1.Assignment;
import grpcpool.v1.ConnectRequest;
import grpcpool.v1.ConnectResponse;
import grpcpool.v1.Credit;
import grpcpool.v1.Draining;
import grpcpool.v1.Failure;
import grpcpool.v1.FailureCode;
import grpcpool.v1.Hello;
import grpcpool.v1.Lease;
import grpcpool.v1.Progress;
import grpcpool.v1.Released;
import grpcpool.v1.Report;
import grpcpool.v1.Reports;
import grpcpool.v1.Succeeded;
import grpcpool.v1.TaskInfo;
import grpcpool.v1.Welcome;
import grpcpool.v1.WorkerHeartbeat;
import grpcpool.v1.WorkerServiceGrpc;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Executes tasks of a pool, small enough to be copied and changed; Handlers.java uses it. */
public final class Worker {
    private static final Set<Code> PERMANENT = EnumSet.of(Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION, Code.UNAUTHENTICATED, Code.UNIMPLEMENTED);

    private final Map<String, Handler> handlers;
    private final int slots;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<ByteString, Attempt> held = new HashMap<>(); // by the tokens of the leases, but for those whose ending is reported
    private final List<Reports> unaccepted = new ArrayList<>(); // to be sent again after a resume
    private StreamObserver<ConnectRequest> stream; // null while there is no connection
    private String id = "";
    private long sequence; // of the last reports
    private long received; // the sequence of the last assignments
    private long interval = 5000;
    private long pause = 100;
    private int running; // handlers that have not returned
    private boolean draining;

    /** Executes an attempt and returns its result. It must end when the attempt is stopped; an IllegalArgumentException blames the payload. */
    public interface Handler {
        ByteString handle(Attempt attempt) throws Exception;
    }

    /** One attempt at a task, as its handler sees it. */
    public final class Attempt {
        public final TaskInfo task;
        public final CountDownLatch stopped = new CountDownLatch(1);
        private final Lease lease;

        private Attempt(Assignment assignment) {
            task = assignment.getTask();
            lease = assignment.getLease();
        }

        public void progress(double fraction, String message) {
            report(this, Report.newBuilder().setProgress(Progress.newBuilder().setFraction(fraction).setMessage(message)));
        }

        public void log(String line) {
            report(this, Report.newBuilder().setLog(ByteString.copyFromUtf8(line + "\n")));
        }
    }

    public Worker(Map<String, Handler> handlers, int slots) {
        this.handlers = handlers;
        this.slots = slots;
    }

    /** Works until it is drained, or the pool refuses it for good. */
    public void run(Channel channel) throws InterruptedException {
        var beating = new Thread(this::beat);
        beating.setDaemon(true);
        beating.start();
        while (!isDone()) {
            Status status = serve(channel);
            if (PERMANENT.contains(status.getCode())) {
                throw status.asRuntimeException();
            }
            Thread.sleep(pause);
            pause = Math.min(2 * pause, 5000);
        }
        threads.shutdown();
    }

    /** Takes no more; `run` returns when the rest is done. */
    public synchronized void drain() {
        draining = true;
        send(ConnectRequest.newBuilder().setDraining(Draining.getDefaultInstance()));
        closeIfDone();
    }

    private Status serve(Channel channel) {
        var end = new CompletableFuture<Status>();
        var requests = new CompletableFuture<StreamObserver<ConnectRequest>>();
        requests.complete(WorkerServiceGrpc.newStub(channel).withWaitForReady().connect(new StreamObserver<ConnectResponse>() {
            @Override
            public void onNext(ConnectResponse response) {
                take(response, requests.join());
            }

            @Override
            public void onError(Throwable error) {
                end.complete(Status.fromThrowable(error));
            }

            @Override
            public void onCompleted() {
                end.complete(Status.OK);
            }
        }));
        String name = System.getenv().getOrDefault("GRPCPOOL_WORKER_NAME", "java-" + ProcessHandle.current().pid());
        var hello = Hello.newBuilder().setWorkerName(name).addAllKinds(handlers.keySet()).setSlots(slots).setResumeWorkerId(id);
        requests.join().onNext(ConnectRequest.newBuilder().setHello(hello).build());
        Status status = end.join();
        synchronized (this) {
            stream = null;
        }
        return status;
    }

    private synchronized void take(ConnectResponse response, StreamObserver<ConnectRequest> requests) {
        switch (response.getMessageCase()) {
            case WELCOME -> begin(response.getWelcome(), requests);
            case ASSIGNMENTS -> {
                if (response.getAssignments().getSequence() > received) {
                    received = response.getAssignments().getSequence();
                    response.getAssignments().getItemsList().forEach(this::start);
                }
            }
            case ACCEPTED -> unaccepted.removeIf(reports -> reports.getSequence() <= response.getAccepted().getSequence());
            case CANCEL -> {
                Attempt attempt = held.get(response.getCancel().getLease().getToken());
                if (attempt != null) {
                    attempt.stopped.countDown();
                }
            }
            case LEASE_LOST -> {
                Attempt attempt = held.remove(response.getLeaseLost().getLease().getToken());
                if (attempt != null) {
                    attempt.stopped.countDown();
                }
            }
            case DRAIN -> drain();
            default -> { }
        }
        closeIfDone();
    }

    private void begin(Welcome welcome, StreamObserver<ConnectRequest> requests) {
        if (!welcome.getWorkerId().equals(id)) { // new to this pool, also when the pool has restarted: all sequences begin anew
            id = welcome.getWorkerId();
            received = sequence = 0;
            unaccepted.replaceAll(reports -> reports.toBuilder().setSequence(++sequence).build());
        }
        stream = requests;
        interval = Durations.toMillis(welcome.getHeartbeatInterval());
        pause = 100;
        unaccepted.forEach(reports -> send(ConnectRequest.newBuilder().setReports(reports)));
        heartbeat();
        if (draining) {
            drain();
        } else if (running < slots) {
            send(ConnectRequest.newBuilder().setCredit(Credit.newBuilder().setSlots(slots - running)));
        }
    }

    private void start(Assignment assignment) {
        var attempt = new Attempt(assignment);
        boolean isLate = draining; // assigned before the pool heard of it
        held.put(attempt.lease.getToken(), attempt);
        running++;
        threads.execute(() -> {
            report(attempt, isLate ? Report.newBuilder().setReleased(Released.getDefaultInstance()) : execute(attempt));
            ended();
        });
    }

    private Report.Builder execute(Attempt attempt) {
        try {
            ByteString result = handlers.get(attempt.task.getKind()).handle(attempt);
            return Report.newBuilder().setSucceeded(Succeeded.newBuilder().setResult(result).setContentType("text/plain"));
        } catch (IllegalArgumentException e) {
            return Report.newBuilder().setFailed(Failure.newBuilder().setCode(FailureCode.FAILURE_CODE_INVALID_PAYLOAD).setMessage(e.getMessage()));
        } catch (Exception e) {
            return Report.newBuilder().setFailed(Failure.newBuilder().setMessage(e.toString()).setRetryable(true));
        }
    }

    private synchronized void ended() {
        running--;
        if (!draining) {
            send(ConnectRequest.newBuilder().setCredit(Credit.newBuilder().setSlots(1)));
        }
    }

    private synchronized void report(Attempt attempt, Report.Builder report) {
        ByteString token = attempt.lease.getToken();
        if (!held.containsKey(token) || (report.hasProgress() && stream == null)) {
            return; // the lease is lost; or the progress will be old when there is a connection again
        }
        if (!report.hasProgress() && !report.hasLog()) {
            held.remove(token);
        }
        var reports = Reports.newBuilder().setSequence(++sequence).addItems(report.setLease(attempt.lease)).build();
        unaccepted.add(reports);
        send(ConnectRequest.newBuilder().setReports(reports));
    }

    private void beat() {
        try {
            while (true) {
                Thread.sleep(interval);
                heartbeat();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void heartbeat() {
        send(ConnectRequest.newBuilder().setHeartbeat(WorkerHeartbeat.newBuilder().setReceivedSequence(received).addAllTokens(held.keySet())));
    }

    private void send(ConnectRequest.Builder message) {
        if (stream != null) {
            stream.onNext(message.build());
        }
    }

    private void closeIfDone() {
        if (stream != null && isDone()) {
            stream.onCompleted();
            stream = null;
        }
    }

    private synchronized boolean isDone() {
        return draining && held.isEmpty() && unaccepted.isEmpty();
    }
}
