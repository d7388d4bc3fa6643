import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import com.google.protobuf.ByteString;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import java.util.Map;

/**
 * A worker for the kinds java.reverse and java.count, at the server of GRPCPOOL_ADDRESS (127.0.0.1:50051 unless set).
 * On SIGTERM it takes no more tasks, finishes those that it has, and ends.
 */
public final class Handlers {
    static ByteString reverse(Worker.Attempt attempt) {
        byte[] bytes = attempt.task.getPayload().toByteArray();
        byte[] reversed = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            reversed[bytes.length - 1 - i] = bytes[i];
        }
        return ByteString.copyFrom(reversed);
    }

    /** Counts to the number in the payload, ten a second. */
    static ByteString count(Worker.Attempt attempt) throws InterruptedException {
        int steps = Integer.parseInt(attempt.task.getPayload().toStringUtf8());
        for (int step = 1; step <= steps; step++) {
            if (attempt.stopped.await(100, MILLISECONDS)) {
                throw new IllegalStateException("stopped at " + step);
            }
            attempt.progress((double) step / steps, step + " of " + steps);
            attempt.log(Integer.toString(step));
        }
        return ByteString.copyFromUtf8(Integer.toString(steps));
    }

    public static void main(String[] arguments) throws InterruptedException {
        String address = System.getenv().getOrDefault("GRPCPOOL_ADDRESS", "127.0.0.1:50051").replaceFirst("^http://", "");
        // A dead connection is noticed within 20 s.
        ManagedChannel channel = ManagedChannelBuilder.forTarget(address).usePlaintext().keepAliveTime(10, SECONDS).keepAliveTimeout(10, SECONDS).build();
        var worker = new Worker(Map.of("java.reverse", Handlers::reverse, "java.count", Handlers::count), 4);
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            worker.drain();
            try {
                main.join();
                Runtime.getRuntime().halt(0);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        String token = System.getenv("GRPCPOOL_TOKEN");
        var metadata = new Metadata();
        if (token != null) {
            metadata.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        }
        worker.run(ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(metadata)));
        channel.shutdownNow();
    }
}
