import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import java.util.List;

/**
 * Speaks MongoDB's wire protocol for tests where no MongoDB is to be had: {@code MongoStandIn PORT [FILE [HOST]]}. With FILE it
 * keeps its data there, else in memory. Prints "listening" once it accepts connections; a SIGTERM writes the file out.
 */
final class MongoStandIn {
    private MongoStandIn() {}

    public static void main(String[] args) throws InterruptedException {
        MongoBackend backend = args.length > 1 ? new H2Backend(args[1]) : H2Backend.inMemory();
        MongoServer server = new MongoServer(backend.version(new Five()));
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        server.bind(args.length > 2 ? args[2] : "127.0.0.1", Integer.parseInt(args[0]));
        System.out.println("listening");
        Thread.currentThread().join();
    }

    /** The driver insists on wire version 9 or later; the library's own list of versions ends with 8. */
    private static final class Five implements MongoVersion {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(5, 0, 0);
        }

        @Override
        public int getWireVersion() {
            return 13;
        }
    }
}
