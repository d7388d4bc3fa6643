// A worker for the kinds go.reverse and go.count, at the server of GRPCPOOL_ADDRESS (127.0.0.1:50051 unless set).
// On SIGTERM it takes no more tasks, finishes those that it has, and ends.
package main

import (
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"
)

func reverse(attempt *Attempt) ([]byte, error) {
	result := make([]byte, len(attempt.Task.Payload))
	for i, b := range attempt.Task.Payload {
		result[len(result)-1-i] = b
	}
	return result, nil
}

// count counts to the number in the payload, ten a second.
func count(attempt *Attempt) ([]byte, error) {
	steps, err := strconv.Atoi(string(attempt.Task.Payload))
	if err != nil {
		return nil, InvalidPayload{err}
	}
	for step := 1; step <= steps; step++ {
		select {
		case <-attempt.Done():
			return nil, fmt.Errorf("stopped at %d", step)
		case <-time.After(100 * time.Millisecond):
		}
		attempt.Progress(float64(step)/float64(steps), fmt.Sprintf("%d of %d", step, steps))
		attempt.Log(fmt.Sprintln(step))
	}
	return []byte(strconv.Itoa(steps)), nil
}

func main() {
	address := strings.TrimPrefix(os.Getenv("GRPCPOOL_ADDRESS"), "http://")
	if address == "" {
		address = "127.0.0.1:50051"
	}
	// A dead connection is noticed within 20 s, and one that is lost is tried again at once.
	alive := grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 10 * time.Second})
	again := grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 2, MaxDelay: 5 * time.Second}})
	channel, err := grpc.Dial(address, grpc.WithInsecure(), alive, again)
	if err != nil {
		log.Fatal(err)
	}
	worker := &Worker{Handlers: map[string]Handler{"go.reverse": reverse, "go.count": count}, Slots: 4}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() { <-signals; worker.Drain() }()
	if err := worker.Run(channel); err != nil {
		log.Fatal(err)
	}
}
