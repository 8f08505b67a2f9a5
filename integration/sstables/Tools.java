import java.io.BufferedReader;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.Permission;
import java.util.List;
import java.util.Set;
import org.apache.cassandra.tools.NodeProbe;
import org.apache.cassandra.tools.SSTableExport;
import org.apache.cassandra.tools.SSTableMetadataViewer;
import org.apache.cassandra.tools.StandaloneVerifier;

/**
 * Runs Cassandra's offline tools many times in one process: a command a line, its words separated by tabs.
 *
 *   dump DATA.db OUT       sstabledump
 *   metadata DATA.db OUT   sstablemetadata
 *   verify KS TABLE OUT    sstableverify -f -e
 *
 * and what nodetool asks of a running node, at the JMX port of 127.0.0.1 that is the argument:
 *
 *   flush KS OUT           nodetool flush
 *   verifylive KS OUT      nodetool verify -e -f
 *   import KS TABLE DIR OUT    nodetool import -e
 *
 * Each is answered by a line: the exit status, then what was printed to standard error.
 */
public class Tools {
    static class Exit extends SecurityException {
        final int status;
        Exit(int status) { this.status = status; }
    }

    static NodeProbe probe;

    static NodeProbe probe(String[] args) throws Exception {
        if (probe == null) probe = new NodeProbe("127.0.0.1", Integer.parseInt(args[0]));
        return probe;
    }

    public static void main(String[] args) throws Exception {
        System.setSecurityManager(new SecurityManager() {
            @Override public void checkExit(int status) { throw new Exit(status); }
            @Override public void checkPermission(Permission p) { }
        });
        PrintStream answers = System.out;
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            String[] words = line.split("\t");
            java.io.ByteArrayOutputStream errors = new java.io.ByteArrayOutputStream();
            int status = 0;
            try (PrintStream out = new PrintStream(new FileOutputStream(words[words.length - 1]), false, "UTF-8");
                 PrintStream err = new PrintStream(errors, true, "UTF-8")) {
                System.setOut(out);
                System.setErr(err);
                try {
                    switch (words[0]) {
                        case "dump" -> SSTableExport.main(new String[] {words[1]});
                        case "metadata" -> SSTableMetadataViewer.main(new String[] {words[1]});
                        case "verify" -> StandaloneVerifier.main(new String[] {"-f", "-e", words[1], words[2]});
                        case "flush" -> probe(args).forceKeyspaceFlush(words[1]);
                        case "verifylive" -> probe(args).verify(out, true, false, false, false, false, false, words[1]);
                        case "import" -> {
                            List<String> failed = probe(args).importNewSSTables(words[1], words[2], Set.of(words[3]),
                                true, true, true, true, true, true, false, false, false);
                            if (!failed.isEmpty()) {
                                status = 1;
                                err.println("not imported: " + failed);
                            }
                        }
                        default -> throw new IllegalArgumentException(words[0]);
                    }
                } catch (Exit e) {
                    status = e.status;
                } catch (Throwable t) {
                    status = 99;
                    t.printStackTrace(err);
                }
            }
            answers.println(status + " " + errors.toString(StandardCharsets.UTF_8).replace('\n', '|'));
            answers.flush();
        }
    }
}
