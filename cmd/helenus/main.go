// Command helenus is the database: it starts a node, and carries the tools around it.
package main

func main() {}
