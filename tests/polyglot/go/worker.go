package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "grpcpool/v1"
)

// Attempt is one attempt at a task, as its handler sees it. Its context is done when it is to stop.
type Attempt struct {
	context.Context
	Task   *pb.TaskInfo
	lease  *pb.Lease
	stop   context.CancelFunc
	worker *Worker
}

func (a *Attempt) Progress(fraction float64, message string) {
	progress := &pb.Progress{Fraction: fraction, Message: message}
	a.worker.report(&pb.Report{Lease: a.lease, Report: &pb.Report_Progress{Progress: progress}})
}

func (a *Attempt) Log(line string) {
	a.worker.report(&pb.Report{Lease: a.lease, Report: &pb.Report_Log{Log: []byte(line)}})
}

// InvalidPayload is the error of a handler that no further attempt can help.
type InvalidPayload struct{ error }

// Handler executes an attempt and returns its result.
type Handler func(*Attempt) ([]byte, error)

// Worker executes tasks of a pool, small enough to be copied and changed; handlers.go uses it. What follows its lock is guarded by it.
type Worker struct {
	Handlers map[string]Handler
	Slots    int

	sync.Mutex
	stream     pb.WorkerService_ConnectClient // nil while there is no connection
	held       map[string]*Attempt            // by the tokens of the leases, but for those whose ending is reported
	running    int                            // handlers that have not returned
	unaccepted []*pb.Reports                  // to be sent again after a resume
	id         string
	sequence   int64 // of the last reports
	received   int64 // the sequence of the last assignments
	draining   bool
	interval   time.Duration
	pause      time.Duration
}

// Run works until it is drained, or the pool refuses it for good.
func (w *Worker) Run(channel *grpc.ClientConn) error {
	w.held, w.interval, w.pause = map[string]*Attempt{}, 5*time.Second, 100*time.Millisecond
	go w.beat()
	for !w.isDone() {
		switch err := w.serve(pb.NewWorkerServiceClient(channel)); status.Code(err) {
		case codes.InvalidArgument, codes.FailedPrecondition, codes.Unauthenticated, codes.Unimplemented:
			return err
		default:
			time.Sleep(w.pause)
			if w.pause *= 2; w.pause > 5*time.Second {
				w.pause = 5 * time.Second
			}
		}
	}
	return nil
}

// Drain takes no more; Run returns when the rest is done.
func (w *Worker) Drain() {
	w.Lock()
	defer w.Unlock()
	w.drain()
}

func (w *Worker) serve(stub pb.WorkerServiceClient) error {
	ctx, end := context.WithCancel(context.Background())
	defer end()
	if token := os.Getenv("GRPCPOOL_TOKEN"); token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	stream, err := stub.Connect(ctx, grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	name := os.Getenv("GRPCPOOL_WORKER_NAME") // from the server that supervises it
	if name == "" {
		host, _ := os.Hostname()
		name = fmt.Sprintf("%s-%d", host, os.Getpid())
	}
	hello := &pb.Hello{WorkerName: name, Slots: int32(w.Slots), ResumeWorkerId: w.id}
	for kind := range w.Handlers {
		hello.Kinds = append(hello.Kinds, kind)
	}
	stream.Send(&pb.ConnectRequest{Message: &pb.ConnectRequest_Hello{Hello: hello}}) // its error comes with Recv
	for {
		response, err := stream.Recv()
		w.Lock()
		if err != nil {
			w.stream = nil
			w.Unlock()
			return err
		}
		w.take(response, stream)
		w.closeIfDone()
		w.Unlock()
	}
}

func (w *Worker) take(response *pb.ConnectResponse, stream pb.WorkerService_ConnectClient) {
	switch message := response.Message.(type) {
	case *pb.ConnectResponse_Welcome:
		w.begin(message.Welcome, stream)
	case *pb.ConnectResponse_Assignments:
		if message.Assignments.Sequence <= w.received {
			return
		}
		w.received = message.Assignments.Sequence
		for _, item := range message.Assignments.Items {
			ctx, stop := context.WithCancel(context.Background())
			attempt := &Attempt{ctx, item.Task, item.Lease, stop, w}
			w.held[string(item.Lease.Token)] = attempt
			w.running++
			go w.execute(attempt, w.draining)
		}
	case *pb.ConnectResponse_Accepted:
		for len(w.unaccepted) > 0 && w.unaccepted[0].Sequence <= message.Accepted.Sequence {
			w.unaccepted = w.unaccepted[1:]
		}
	case *pb.ConnectResponse_Cancel:
		if attempt := w.held[string(message.Cancel.Lease.Token)]; attempt != nil {
			attempt.stop()
		}
	case *pb.ConnectResponse_LeaseLost:
		token := string(message.LeaseLost.Lease.Token)
		if attempt := w.held[token]; attempt != nil {
			delete(w.held, token)
			attempt.stop()
		}
	case *pb.ConnectResponse_Drain:
		w.drain()
	}
}

func (w *Worker) begin(welcome *pb.Welcome, stream pb.WorkerService_ConnectClient) {
	if welcome.WorkerId != w.id { // new to this pool, also when the pool has restarted: all sequences begin anew
		w.id, w.received, w.sequence = welcome.WorkerId, 0, int64(len(w.unaccepted))
		for i, reports := range w.unaccepted {
			reports.Sequence = int64(i + 1)
		}
	}
	w.stream, w.interval, w.pause = stream, welcome.HeartbeatInterval.AsDuration(), 100*time.Millisecond
	for _, reports := range w.unaccepted {
		w.send(&pb.ConnectRequest{Message: &pb.ConnectRequest_Reports{Reports: reports}})
	}
	w.heartbeat()
	if w.draining {
		w.drain()
	} else {
		w.credit(w.Slots - w.running)
	}
}

func (w *Worker) execute(attempt *Attempt, draining bool) {
	defer attempt.stop()
	ending := &pb.Report{Lease: attempt.lease}
	if draining { // assigned before the pool heard of it
		ending.Report = &pb.Report_Released{Released: &pb.Released{}}
	} else if result, err := w.Handlers[attempt.Task.Kind](attempt); err == nil {
		ending.Report = &pb.Report_Succeeded{Succeeded: &pb.Succeeded{Result: result, ContentType: "text/plain"}}
	} else if errors.As(err, &InvalidPayload{}) {
		ending.Report = &pb.Report_Failed{Failed: &pb.Failure{Code: pb.FailureCode_FAILURE_CODE_INVALID_PAYLOAD, Message: err.Error()}}
	} else {
		ending.Report = &pb.Report_Failed{Failed: &pb.Failure{Message: err.Error(), Retryable: true}}
	}
	w.report(ending)
	w.Lock()
	defer w.Unlock()
	w.running--
	if !w.draining {
		w.credit(1)
	}
}

func (w *Worker) report(report *pb.Report) {
	w.Lock()
	defer w.Unlock()
	token := string(report.Lease.Token)
	if w.held[token] == nil {
		return // the lease is lost
	}
	switch report.Report.(type) {
	case *pb.Report_Progress:
		if w.stream == nil {
			return // it will be old when there is a connection again
		}
	case *pb.Report_Log:
	default:
		delete(w.held, token)
	}
	w.sequence++
	reports := &pb.Reports{Sequence: w.sequence, Items: []*pb.Report{report}}
	w.unaccepted = append(w.unaccepted, reports)
	w.send(&pb.ConnectRequest{Message: &pb.ConnectRequest_Reports{Reports: reports}})
}

func (w *Worker) beat() {
	for {
		w.Lock()
		w.heartbeat()
		interval := w.interval
		w.Unlock()
		time.Sleep(interval)
	}
}

func (w *Worker) heartbeat() {
	heartbeat := &pb.WorkerHeartbeat{ReceivedSequence: w.received}
	for token := range w.held {
		heartbeat.Tokens = append(heartbeat.Tokens, []byte(token))
	}
	w.send(&pb.ConnectRequest{Message: &pb.ConnectRequest_Heartbeat{Heartbeat: heartbeat}})
}

func (w *Worker) credit(slots int) {
	if slots > 0 {
		w.send(&pb.ConnectRequest{Message: &pb.ConnectRequest_Credit{Credit: &pb.Credit{Slots: int32(slots)}}})
	}
}

func (w *Worker) drain() {
	w.draining = true
	w.send(&pb.ConnectRequest{Message: &pb.ConnectRequest_Draining{Draining: &pb.Draining{}}})
	w.closeIfDone()
}

// An error of the stream comes with its Recv too, which ends serve.
func (w *Worker) send(message *pb.ConnectRequest) {
	if w.stream != nil {
		w.stream.Send(message)
	}
}

func (w *Worker) closeIfDone() {
	if w.stream != nil && w.draining && len(w.held) == 0 && len(w.unaccepted) == 0 {
		w.stream.CloseSend()
		w.stream = nil
	}
}

func (w *Worker) isDone() bool {
	w.Lock()
	defer w.Unlock()
	return w.draining && len(w.held) == 0 && len(w.unaccepted) == 0
}
