package server

// Handler makes the conversation with each client. Its methods may be called from many goroutines.
type Handler interface {
	// NewConn is called when a client is READY, on its connection's goroutine. c knows the version, the STARTUP
	// options and the user.
	NewConn(c *Conn) ConnHandler
}

// ConnHandler is one client's conversation.
type ConnHandler interface {
	// Serve is given a QUERY, PREPARE, EXECUTE or BATCH. It is called on the connection's goroutine, one request after
	// another. It must either answer r before it returns (Begin and Reply, or Error), or take r away with Detach or
	// Go. A panic is answered as a server error.
	Serve(r *Request)
	// Closed is called once, when the connection has ended and every request of it has been answered.
	Closed()
}

// Authenticator checks who a client is.
type Authenticator interface {
	// Class is the Java class that AUTHENTICATE names; drivers know a few.
	Class() string
	// Login returns the name of the role that a SASL response proves, nil for a null token. The error is a *cql.Error
	// for the client, who may try again.
	Login(token []byte) (user string, err error)
}
