// A client of GrpcPool, small enough to be copied and changed: bin/client submit KIND [PAYLOAD] | watch ID | cancel ID.
// The server is the one at GRPCPOOL_ADDRESS (127.0.0.1:50051 unless set).
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "grpcpool/v1"
)

// The channel itself repeats these calls while the server is out of reach: with an id in each task they are harmless to repeat.
// Before its version 1.40 grpc-go repeats them only with GRPC_GO_RETRY=on in the environment.
const repeat = `{"methodConfig": [{"timeout": "30s", "waitForReady": true,
	"name": [{"service": "grpcpool.v1.TaskPoolService", "method": "Submit"}, {"service": "grpcpool.v1.TaskPoolService", "method": "Cancel"}],
	"retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.2s", "maxBackoff": "5s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]}`

// Pool is what submits to a pool and watches it.
type Pool struct{ stub pb.TaskPoolServiceClient }

// Submit submits a task. Its id makes a repeated call harmless: take your own where you have one.
func (pool Pool) Submit(ctx context.Context, kind string, payload []byte) (*pb.TaskInfo, error) {
	id := make([]byte, 16)
	rand.Read(id)
	spec := &pb.TaskSpec{Id: fmt.Sprintf("%x", id), Kind: kind, Payload: payload}
	answer, err := pool.stub.Submit(ctx, &pb.SubmitRequest{Task: spec})
	return answer.GetTask(), err
}

// Watch calls seen with every change of a task, until its end. When the stream breaks, it goes on where it stood.
func (pool Pool) Watch(ctx context.Context, id string, seen func(*pb.TaskInfo)) error {
	request := &pb.WatchRequest{Ids: []string{id}, View: pb.TaskView_TASK_VIEW_FULL}
	for {
		err := pool.watch(ctx, request, seen)
		switch code := status.Code(err); {
		case err == io.EOF:
			return nil
		case code == codes.OutOfRange && request.AfterRevision > 0:
			request.AfterRevision = 0 // too long ago: the task comes anew, as a snapshot
		case code == codes.Unavailable:
			time.Sleep(200 * time.Millisecond)
		default:
			return err
		}
	}
}

// Cancel asks for the end of a task.
func (pool Pool) Cancel(ctx context.Context, id, reason string) (*pb.TaskInfo, error) {
	answer, err := pool.stub.Cancel(ctx, &pb.CancelRequest{Id: id, Reason: reason})
	return answer.GetTask(), err
}

func (pool Pool) watch(ctx context.Context, request *pb.WatchRequest, seen func(*pb.TaskInfo)) error {
	stream, err := pool.stub.Watch(ctx, request, grpc.WaitForReady(true))
	for err == nil {
		var message *pb.WatchResponse
		message, err = stream.Recv()
		for _, event := range message.GetEvents() {
			if event.Task != nil {
				seen(event.Task)
			}
		}
		if message.GetRevision() > 0 {
			request.AfterRevision = message.Revision
		}
	}
	return err
}

func show(task *pb.TaskInfo) {
	fmt.Printf("%v %.0f%% %s\n", task.State, 100*task.GetProgress().GetFraction(), task.GetProgress().GetMessage())
	if task.State == pb.TaskState_TASK_STATE_SUCCEEDED {
		fmt.Printf("result: %s\n", task.Result)
	} else if task.FinishedAt != nil {
		fmt.Printf("failure: %s\n", task.GetFailure().GetMessage())
	}
}

func main() {
	address, arguments := os.Getenv("GRPCPOOL_ADDRESS"), append(os.Args[1:], "", "", "")
	if address == "" {
		address = "127.0.0.1:50051"
	}
	channel, err := grpc.Dial(address, grpc.WithInsecure(), grpc.WithDefaultServiceConfig(repeat))
	if err != nil {
		log.Fatal(err)
	}
	defer channel.Close()
	pool, ctx := Pool{pb.NewTaskPoolServiceClient(channel)}, context.Background()

	var task *pb.TaskInfo
	switch arguments[0] {
	case "submit":
		task, err = pool.Submit(ctx, arguments[1], []byte(arguments[2]))
		fmt.Println(task.GetId())
	case "watch":
		err = pool.Watch(ctx, arguments[1], show)
	case "cancel":
		task, err = pool.Cancel(ctx, arguments[1], "cancelled from Go")
		fmt.Println(task.GetState())
	default:
		log.Fatal("usage: client submit KIND [PAYLOAD] | watch ID | cancel ID")
	}
	if err != nil {
		log.Fatal(err)
	}
}
