package org.authservice.settings;

import java.util.Map;
import org.authservice.secret.Secret;

/**
 * Programs that may ask about tokens and end them.
 *
 * @param secrets {@code API_CLIENTS}, each client's secret by its id
 */
public record ApiClientSettings(Map<String, Secret> secrets) {}
