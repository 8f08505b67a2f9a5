package nodetool

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/helenusdb/helenus/cluster/admin"
)

// maxAnswer bounds what is read of an answer, and maxPasswords a file of passwords, in bytes.
const (
	maxAnswer    = 256 << 20
	maxPasswords = 64 << 10
)

// client calls one admin endpoint.
type client struct {
	address, user, token string
	http                 *http.Client
}

func newClient(p *parsed) (*client, error) {
	host, port := p.value("-h"), p.value("-p")
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = strconv.Itoa(admin.DefaultPort)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return nil, wrongUse("port: can not convert %q to a Integer", port)
	}
	c := &client{address: net.JoinHostPort(host, port), user: p.value("-u"), token: p.value("-pw")}
	if file := p.value("-pwf"); file != "" && c.token == "" {
		var err error
		if c.token, err = readPassword(file, c.user); err != nil {
			return nil, err
		}
	}
	if c.user == "" {
		c.user = "nodetool"
	}
	c.http = &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext}}
	return c, nil
}

// readPassword returns the only word of a file, or the word behind a user's name at the start of one of its lines.
func readPassword(file, user string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPasswords))
	if err != nil {
		return "", err
	}
	if words := strings.Fields(string(b)); len(words) == 1 {
		return words[0], nil
	}
	for line := range strings.Lines(string(b)) {
		if words := strings.Fields(line); len(words) == 2 && words[0] == user {
			return words[1], nil
		}
	}
	return "", fmt.Errorf("%s has no line for user %q", file, user)
}

// post calls a verb and returns its answer, or its error.
func (c *client) post(ctx context.Context, verb string, args any) ([]byte, error) {
	body, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.address+"/v1/"+verb, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.SetBasicAuth(c.user, c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return b, nil
	}
	e := new(admin.Error)
	if err := json.Unmarshal(b, e); err != nil || e.Message == "" {
		return nil, fmt.Errorf("%s answered %s: it is not the admin endpoint of a node", c.address, resp.Status)
	}
	return nil, e
}

// unreachable makes the error of a node that does not answer.
func (c *client) unreachable(err error) error {
	host, port, splitErr := net.SplitHostPort(c.address)
	if splitErr != nil {
		return err
	}
	for inner := err; inner != nil; {
		err = inner
		u, ok := inner.(interface{ Unwrap() error })
		if !ok {
			break
		}
		inner = u.Unwrap()
	}
	return &unreachable{fmt.Sprintf("Failed to connect to '%s:%s' - %v", host, port, err)}
}

// unreachable is a node that could not be called.
type unreachable struct{ text string }

func (e *unreachable) Error() string { return e.text }
