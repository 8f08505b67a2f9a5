// Package abuse is the client that nobody wishes for: it sends what is no message, half of a message, too much and
// nothing at all to a node in a process of its own, and holds that the node answers as it should, keeps its memory and
// serves the others.
//
// Its nouns: a peer is one raw connection; an item is one line of the catalogue of bad input (reliability.md 4); the
// campaign is a great many bad messages made from a seed, with a good client beside them.
//
// It writes its frames itself and shares no code with the server. Floor: the integration module.
package abuse
