package org.authservice.testing;

import java.nio.file.Path;
import java.util.List;

/** The reverse proxies for which {@code deploy/} has a file. */
public enum Proxies {
  /** By {@code deploy/nginx.conf}. */
  NGINX {
    @Override
    public Running start(Path folder, int port, List<String> nodes, int managementPort) {
      return NginxProcess.deployed(folder, port, nodes)::close;
    }
  },
  /** By {@code deploy/Caddyfile}. */
  CADDY {
    @Override
    public Running start(Path folder, int port, List<String> nodes, int managementPort) {
      return CaddyProcess.deployed(folder, port, nodes, managementPort)::close;
    }
  };

  /** One that runs, until it is closed. */
  public interface Running extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Starts it with its file, but for addresses and certificates; it listens when this returns.
   *
   * @param folder for its files
   * @param port where it listens
   * @param nodes host and port of each
   * @param managementPort that of all of them
   */
  public abstract Running start(Path folder, int port, List<String> nodes, int managementPort);
}
