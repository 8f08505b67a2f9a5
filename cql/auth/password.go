// Package auth is the login exchange of clients. Roles are read through an interface; permissions come with the statements
// that grant them.
//
// Floor: above cql. Source: org.apache.cassandra.auth.PasswordAuthenticator; protocol.md 3.7; reliability.md 3.3.
package auth

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"

	"github.com/helenusdb/helenus/cql"
)

// Role is what the login needs to know of a role.
type Role struct {
	// SaltedHash is a bcrypt hash; "" for a role without a password.
	SaltedHash string
	CanLogin   bool
	Superuser  bool
}

// Password is Cassandra's PasswordAuthenticator: SASL PLAIN against bcrypt hashes. It is safe for concurrent use.
type Password struct {
	// Lookup returns the role of a name; ok is false when there is none. An error refuses the login.
	Lookup func(name string) (role Role, ok bool, err error)
	// slots bounds how many hashes are computed at once: each takes tens of milliseconds of a core by design.
	slots chan struct{}
	dummy []byte
}

// maxConcurrentHashes leaves most cores to requests while a thousand clients reconnect.
const maxConcurrentHashes = 2

// maxPasswordBytes is what bcrypt looks at; a longer password would be cut silently.
const maxPasswordBytes = 72

// NewPassword returns an authenticator that reads roles with lookup.
func NewPassword(lookup func(name string) (Role, bool, error)) (*Password, error) {
	dummy, err := bcrypt.GenerateFromPassword([]byte("no role has this password"), bcrypt.DefaultCost)
	if err != nil {
		return nil, err
	}
	return &Password{Lookup: lookup, slots: make(chan struct{}, maxConcurrentHashes), dummy: dummy}, nil
}

// Hash returns the bcrypt hash of a password, as system_auth.roles keeps it.
func Hash(password string) (string, error) {
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	return string(h), err
}

// Class is the class name of AUTHENTICATE: old drivers refuse others than Cassandra's own.
func (p *Password) Class() string { return "org.apache.cassandra.auth.PasswordAuthenticator" }

// Login checks a SASL PLAIN token, [authzid] NUL user NUL password, and returns the role's name. The authorization id is
// ignored: the identity is that of the password. A role that does not exist costs as much time as a wrong password.
// Source: PasswordAuthenticator.PlainTextSaslAuthenticator.
func (p *Password) Login(token []byte) (name string, err error) {
	user, password, err := decode(token)
	if err != nil {
		return "", err
	}
	role, ok, err := p.Lookup(user)
	if err != nil {
		return "", credentials("Unable to perform authentication: " + err.Error())
	}
	hash := []byte(role.SaltedHash)
	if !ok || len(hash) == 0 {
		ok, hash = false, p.dummy
	}
	p.slots <- struct{}{}
	match := bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil
	<-p.slots
	switch {
	case !ok || !match:
		return "", credentials("Provided username " + user + " and/or password are incorrect")
	case !role.CanLogin:
		return "", credentials(user + " is not permitted to log in")
	}
	return user, nil
}

// decode splits a token from its end, as Cassandra does.
func decode(token []byte) (user, password string, err error) {
	if bytes.Count(token, []byte{0}) > 2 {
		return "", "", credentials(`Credential format error: username or password is empty or contains NUL(\0) character`)
	}
	rest := token
	i := bytes.LastIndexByte(rest, 0)
	if i < 0 || i == len(rest)-1 {
		return "", "", credentials("Password must not be null")
	}
	password, rest = string(rest[i+1:]), rest[:i]
	i = bytes.LastIndexByte(rest, 0)
	if i < 0 || i == len(rest)-1 {
		return "", "", credentials("Authentication ID must not be null")
	}
	user = string(rest[i+1:])
	if !utf8.ValidString(user) || len(user) > 255 || len(password) > maxPasswordBytes {
		return "", "", credentials("Provided username and/or password are incorrect")
	}
	return user, password, nil
}

func credentials(text string) *cql.Error { return &cql.Error{Code: cql.CodeCredentials, Message: text} }
