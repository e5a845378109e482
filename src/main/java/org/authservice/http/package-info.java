/**
 * The listener, the filters every request passes, bodies in and answers out. The only package that
 * knows Jetty; features see {@link org.authservice.http.Request}, {@link
 * org.authservice.http.Answer} and {@link org.authservice.http.Route}.
 */
@NullMarked
package org.authservice.http;

import org.jspecify.annotations.NullMarked;
