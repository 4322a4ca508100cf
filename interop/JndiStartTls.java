import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Hashtable;
import javax.naming.Context;
import javax.naming.ldap.InitialLdapContext;
import javax.naming.ldap.StartTlsRequest;
import javax.naming.ldap.StartTlsResponse;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManagerFactory;

/** StartTLS by JNDI: java JndiStartTls.java URL CA.pem; prints the version of TLS. */
public class JndiStartTls {
    public static void main(String[] arguments) throws Exception {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null);
        try (FileInputStream file = new FileInputStream(arguments[1])) {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            trusted.setCertificateEntry("ca", factory.generateCertificate(file));
        }
        TrustManagerFactory trust =
            TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);

        Hashtable<String, String> environment = new Hashtable<>();
        environment.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.ldap.LdapCtxFactory");
        environment.put(Context.PROVIDER_URL, arguments[0]);
        environment.put("com.sun.jndi.ldap.read.timeout", "20000");
        // It sends the control ManageDsaIT with each request.
        InitialLdapContext context = new InitialLdapContext(environment, null);
        StartTlsResponse response =
            (StartTlsResponse) context.extendedOperation(new StartTlsRequest());
        SSLSession session = response.negotiate(tls.getSocketFactory());
        System.out.println("secure " + session.getProtocol());
        System.exit(0);
    }
}
