import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.opensearch.Version;
import org.opensearch.analysis.common.CommonAnalysisPlugin;
import org.opensearch.common.settings.Settings;
import org.opensearch.core.common.transport.TransportAddress;
import org.opensearch.env.Environment;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;
import org.opensearch.transport.Netty4Plugin;

/**
 * One OpenSearch node, alone in its cluster and bound to loopback. Argument: the folder for its data. Writes one line,
 * "ready PORT VERSION", to standard output when it answers, and stops when standard input ends.
 */
public final class LoopbackNode extends Node {

    private LoopbackNode(Environment environment, List<Class<? extends Plugin>> plugins) {
        super(environment, plugins, false);
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = System.out;
        System.setOut(System.err); // the logger writes to standard output
        try (Node node = new LoopbackNode(environment(arguments[0]), List.of(Netty4Plugin.class, CommonAnalysisPlugin.class))) {
            node.start();
            TransportAddress address = node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress();
            answers.println("ready " + address.getPort() + " " + Version.CURRENT);
            answers.flush();
            waitForEnd(System.in);
        }
        System.exit(0);
    }

    private static Environment environment(String folder) {
        Settings settings = Settings.builder()
            .put("path.home", folder)
            .put("cluster.name", "insigma-prove")
            .put("node.name", "loopback")
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", "0")
            .put("transport.port", "0")
            .put("node.processors", 2)
            .put("action.auto_create_index", false)
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
        return InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), Path.of(folder, "config"), () -> "loopback");
    }

    private static void waitForEnd(InputStream input) throws IOException {
        while (input.read() >= 0) {
            // what comes is of no interest
        }
    }
}
