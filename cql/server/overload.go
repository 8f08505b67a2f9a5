package server

import "fmt"

// overloadText and backpressureText are Cassandra's words for a request that finds too much in flight: refused, or made
// to wait. The client's address stands for what Cassandra counts per address: the connection. Source:
// CQLMessageHandler.buildOverloadedException, Dispatcher.processRequest.
func overloadText(used, limit, allUsed, allLimit int64) string {
	return fmt.Sprintf("Request breached limit on bytes in flight. (Endpoint: %d/%d bytes, Global: %d/%d bytes.) "+
		"Server is currently in an overloaded state and cannot accept more requests.", used, limit, allUsed, allLimit)
}

func backpressureText(limit, allLimit int64) string {
	return fmt.Sprintf("Request breached limit(s) on bytes in flight (Endpoint: %d, Global: %d) and triggered backpressure.",
		limit, allLimit)
}
