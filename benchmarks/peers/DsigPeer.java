import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.xml.crypto.AlgorithmMethod;
import javax.xml.crypto.KeySelector;
import javax.xml.crypto.KeySelectorException;
import javax.xml.crypto.KeySelectorResult;
import javax.xml.crypto.XMLCryptoContext;
import javax.xml.crypto.dom.DOMStructure;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLObject;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.keyinfo.KeyInfoFactory;
import javax.xml.crypto.dsig.keyinfo.KeyValue;
import javax.xml.crypto.dsig.keyinfo.X509Data;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * XML signatures by Java's own javax.xml.crypto.dsig: an independent verifier and signer.
 *
 * <pre>
 * verify --secure|--plain DIR [PATH]       a line for each file: name TAB ok|bad|error TAB reason
 * sign KEY.p12 PASSWORD IN OUT PATHS TIME  every file of IN, signed in the field's shape, into OUT
 * bench verify FILE                        for each number N on standard input: median ms of N runs
 * bench sign KEY.p12 PASSWORD FILE PATHS TIME
 * </pre>
 *
 * A PATH names an element by names without namespaces, such as Hoso/CKy_Dvi. PATHS are several with a comma
 * between; the first that the document has takes the signature. Without a PATH every signature of a file must be
 * valid. DTDs are refused with --secure and read with --plain, as Java reads them unless told otherwise.
 */
public final class DsigPeer {
    private static final String DSIG = XMLSignature.XMLNS;
    private static final String RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    private static final String TIME_NAMESPACE = "http://example.org/#signatureProperties";
    private static final XMLSignatureFactory FACTORY = XMLSignatureFactory.getInstance("DOM");

    public static void main(String[] words) throws Exception {
        switch (words[0]) {
            case "verify" ->
                verifyAll(words[1].equals("--secure"), Path.of(words[2]), words.length > 3 ? words[3] : null);
            case "sign" -> {
                Signer signer = new Signer(words[1], words[2], words[5], words[6]);
                for (Path file : filesOf(Path.of(words[3]))) {
                    Files.write(Path.of(words[4]).resolve(file.getFileName()), signer.sign(Files.readAllBytes(file)));
                }
            }
            case "bench" -> bench(words);
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    private static List<Path> filesOf(Path folder) throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    private static void verifyAll(boolean secure, Path folder, String path) throws Exception {
        StringBuilder lines = new StringBuilder();
        for (Path file : filesOf(folder)) {
            String answer;
            try {
                answer = verify(Files.readAllBytes(file), secure, path);
            } catch (Exception failure) {
                answer = "error\t" + failure.toString().replaceAll("\\s+", " ");
            }
            lines.append(file.getFileName()).append('\t').append(answer).append('\n');
        }
        System.out.write(lines.toString().getBytes(StandardCharsets.UTF_8));
        System.out.flush();
    }

    private static String verify(byte[] content, boolean secure, String path) throws Exception {
        Document document = parsed(content, secure);
        List<Element> signatures = signaturesOf(document, path);
        if (signatures.isEmpty()) {
            return "bad\tnot-signed";
        }
        for (Element element : signatures) {
            String reason = reasonToRefuse(document, element, secure);
            if (!reason.isEmpty()) {
                return "bad\t" + reason;
            }
        }
        return "ok\t";
    }

    private static List<Element> signaturesOf(Document document, String path) {
        NodeList found = document.getElementsByTagNameNS(DSIG, "Signature");
        Element place = path == null ? null : at(document, path);
        return Stream.iterate(0, number -> number < found.getLength(), number -> number + 1)
                .map(number -> (Element) found.item(number))
                .filter(element -> path == null || element.getParentNode() == place)
                .toList();
    }

    private static String reasonToRefuse(Document document, Element element, boolean secure) throws Exception {
        DOMValidateContext context = new DOMValidateContext(new FromKeyInfo(), element);
        context.setProperty("org.jcp.xml.dsig.secureValidation", secure);
        nameIds(document.getDocumentElement(), context);
        XMLSignature signature = FACTORY.unmarshalXMLSignature(context);
        if (signature.validate(context)) {
            return "";
        }
        return signature.getSignatureValue().validate(context) ? "digest" : "signature-value";
    }

    /** Tells the verifier which attributes are ids: without a schema nothing else does. */
    private static void nameIds(Element element, DOMValidateContext context) {
        for (String name : List.of("Id", "ID", "id")) {
            if (element.hasAttributeNS(null, name)) {
                context.setIdAttributeNS(element, null, name);
            }
        }
        for (Node child = element.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child instanceof Element inner) {
                nameIds(inner, context);
            }
        }
    }

    private static Document parsed(byte[] content, boolean secure) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", secure);
        var builder = factory.newDocumentBuilder();
        builder.setErrorHandler(null);
        return builder.parse(new ByteArrayInputStream(content));
    }

    private static Element at(Document document, String path) {
        String[] names = path.split("/");
        Element element = document.getDocumentElement();
        if (!names[0].equals(element.getLocalName())) {
            return null;
        }
        for (String name : Arrays.copyOfRange(names, 1, names.length)) {
            element = childOf(element, name);
            if (element == null) {
                return null;
            }
        }
        return element;
    }

    private static Element childOf(Element element, String name) {
        for (Node child = element.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child instanceof Element inner && name.equals(inner.getLocalName())) {
                return inner;
            }
        }
        return null;
    }

    private static void bench(String[] words) throws Exception {
        byte[] content = Files.readAllBytes(Path.of(words[1].equals("verify") ? words[2] : words[4]));
        Signer signer = words[1].equals("verify") ? null : new Signer(words[2], words[3], words[5], words[6]);
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String order = orders.readLine(); order != null; order = orders.readLine()) {
            double[] times = new double[Integer.parseInt(order.trim())];
            for (int run = 0; run < times.length; run++) {
                long start = System.nanoTime();
                if (signer != null) {
                    signer.sign(content);
                } else if (!verify(content, true, null).startsWith("ok")) {
                    throw new IllegalStateException("the file to measure with does not verify");
                }
                times[run] = (System.nanoTime() - start) / 1e6;
            }
            Arrays.sort(times);
            int half = times.length / 2;
            System.out.println(times.length % 2 == 1 ? times[half] : (times[half - 1] + times[half]) / 2);
        }
    }

    /** The key of the certificate, which KeyValue must not contradict; KeyValue where there is no certificate. */
    private static final class FromKeyInfo extends KeySelector {
        @Override
        public KeySelectorResult select(
                KeyInfo info, Purpose purpose, AlgorithmMethod method, XMLCryptoContext context)
                throws KeySelectorException {
            if (info == null) {
                throw new KeySelectorException("no KeyInfo");
            }
            PublicKey named = null;
            PublicKey certified = null;
            for (Object part : info.getContent()) {
                if (part instanceof KeyValue value) {
                    named = keyOf(value);
                } else if (part instanceof X509Data data) {
                    certified = keyOf(data);
                }
            }
            if (named != null && certified != null && !named.equals(certified)) {
                throw new KeySelectorException("KeyValue is not the certificate's key");
            }
            Key key = certified != null ? certified : named;
            if (key == null) {
                throw new KeySelectorException("no key");
            }
            return () -> key;
        }

        private static PublicKey keyOf(KeyValue value) throws KeySelectorException {
            try {
                return value.getPublicKey();
            } catch (KeyException failure) {
                throw new KeySelectorException(failure);
            }
        }

        private static PublicKey keyOf(X509Data data) {
            for (Object part : data.getContent()) {
                if (part instanceof X509Certificate certificate) {
                    return certificate.getPublicKey();
                }
            }
            return null;
        }
    }

    /** Signs in the field's shape. */
    private static final class Signer {
        private final PrivateKey key;
        private final KeyInfo keyInfo;
        private final String[] paths;
        private final String time;

        Signer(String file, String password, String paths, String time) throws Exception {
            KeyStore store = KeyStore.getInstance(Path.of(file).toFile(), password.toCharArray());
            String alias = store.aliases().nextElement();
            X509Certificate certificate = (X509Certificate) store.getCertificate(alias);
            this.key = (PrivateKey) store.getKey(alias, password.toCharArray());
            this.paths = paths.split(",");
            this.time = time;
            KeyInfoFactory parts = FACTORY.getKeyInfoFactory();
            String subject = certificate.getSubjectX500Principal().getName();
            this.keyInfo = parts.newKeyInfo(List.of(
                    parts.newKeyValue(certificate.getPublicKey()),
                    parts.newX509Data(List.of(subject, certificate))));
        }

        byte[] sign(byte[] content) throws Exception {
            Document document = parsed(content, true);
            Element place = null;
            for (int number = 0; place == null; number++) {
                place = at(document, paths[number]);
            }
            XMLObject object = FACTORY.newXMLObject(List.of(new DOMStructure(timeIn(document))), null, null, null);
            FACTORY.newXMLSignature(signedInfo(), keyInfo, List.of(object), "sigid", null)
                    .sign(new DOMSignContext(key, place));
            ByteArrayOutputStream signed = new ByteArrayOutputStream(content.length + 8192);
            TransformerFactory.newInstance()
                    .newTransformer()
                    .transform(new DOMSource(document), new StreamResult(signed));
            return signed.toByteArray();
        }

        /** A new one for each document: a Reference keeps its first digest. */
        private static SignedInfo signedInfo() throws Exception {
            Transform enveloped = FACTORY.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null);
            Reference reference = FACTORY.newReference(
                    "", FACTORY.newDigestMethod(DigestMethod.SHA256, null), List.of(enveloped), null, null);
            return FACTORY.newSignedInfo(
                    FACTORY.newCanonicalizationMethod(
                            CanonicalizationMethod.INCLUSIVE, (C14NMethodParameterSpec) null),
                    FACTORY.newSignatureMethod(RSA_SHA256, null),
                    List.of(reference));
        }

        private Element timeIn(Document document) {
            Element group = document.createElementNS(null, "SignatureProperties");
            group.setAttributeNS(null, "Id", "proid");
            Element single = document.createElementNS(null, "SignatureProperty");
            single.setAttributeNS(null, "Target", "#sigid");
            Element element = document.createElementNS(TIME_NAMESPACE, "SigningTime");
            element.setTextContent(time);
            single.appendChild(element);
            group.appendChild(single);
            return group;
        }
    }
}
