package auth

import (
	"errors"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/helenusdb/helenus/cql"
)

// TestLogin holds Cassandra's texts for each way that a login fails (wire samples of a live server with authentication).
func TestLogin(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPassword(func(name string) (Role, bool, error) {
		switch name {
		case "ann":
			return Role{SaltedHash: string(hash), CanLogin: true}, true, nil
		case "locked":
			return Role{SaltedHash: string(hash)}, true, nil
		case "down":
			return Role{}, false, errors.New("no answer")
		}
		return Role{}, false, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct{ token, user, text string }{
		{"\x00ann\x00secret", "ann", ""},
		{"other\x00ann\x00secret", "ann", ""},
		{"\x00ann\x00wrong", "", "Provided username ann and/or password are incorrect"},
		{"\x00nobody\x00secret", "", "Provided username nobody and/or password are incorrect"},
		{"\x00locked\x00secret", "", "locked is not permitted to log in"},
		{"\x00ann\x00", "", "Password must not be null"},
		{"", "", "Password must not be null"},
		{"\x00\x00secret", "", "Authentication ID must not be null"},
		{"ann\x00secret", "", "Authentication ID must not be null"},
		{"\x00ann\x00sec\x00ret", "", `Credential format error: username or password is empty or contains NUL(\0) character`},
		{"\x00down\x00x", "", "Unable to perform authentication: no answer"},
	} {
		user, err := p.Login([]byte(v.token))
		text := ""
		if e, ok := errors.AsType[*cql.Error](err); ok {
			text = e.Message
			if e.Code != cql.CodeCredentials {
				t.Errorf("%q: code %x", v.token, e.Code)
			}
		}
		if user != v.user || text != v.text {
			t.Errorf("%q: user %q, text %q, want %q, %q", v.token, user, text, v.user, v.text)
		}
	}
}
