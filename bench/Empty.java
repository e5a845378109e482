import java.util.Optional;
import java.util.concurrent.Executors;
import org.authservice.operations.Logging;
import org.authservice.settings.LogSettings;
import org.eclipse.jetty.http.HttpCompliance;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** The engine with nothing on it: 204 and the headers of /auth/check, on virtual threads. */
final class Empty {
  private Empty() {}

  public static void main(String[] arguments) throws Exception {
    Logging.configure(new LogSettings("WARN", false, Optional.empty()));
    var threads = new QueuedThreadPool(16, 4);
    threads.setReservedThreads(0);
    threads.setVirtualThreadsExecutor(Executors.newVirtualThreadPerTaskExecutor());
    var server = new Server(threads);
    var protocol = new HttpConfiguration();
    protocol.setSendServerVersion(false);
    protocol.setHeaderCacheSize(0); // as the service has it, and the next two
    protocol.setHttpCompliance(HttpCompliance.STRICT);
    protocol.setUriCompliance(UriCompliance.RFC3986);
    var connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(protocol));
    connector.setHost("127.0.0.1");
    connector.setPort(Integer.parseInt(arguments[0]));
    connector.setAcceptQueueSize(1024);
    server.addConnector(connector);
    server.setHandler(
        new Handler.Abstract() {
          @Override
          public boolean handle(Request request, Response response, Callback callback) {
            response.setStatus(204);
            var headers = response.getHeaders();
            headers.put("X-Content-Type-Options", "nosniff");
            headers.put("X-Frame-Options", "DENY");
            headers.put("X-XSS-Protection", "1; mode=block");
            headers.put("Referrer-Policy", "strict-origin-when-cross-origin");
            headers.put(
                "Content-Security-Policy",
                "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none';"
                    + " form-action 'self'");
            headers.put("Cache-Control", "no-store");
            headers.put("Vary", "Origin");
            headers.put("X-Auth-User-Id", "1");
            headers.put("X-Auth-Session-Id", "0123456789abcdef0123456789abcdef");
            headers.put("X-Request-ID", "0123456789abcdef0123456789abcdef");
            callback.succeeded();
            return true;
          }
        });
    server.start();
    server.join();
  }
}
