using System;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Text;
using System.Xml;

/// <summary>
/// XML signatures by .NET's SignedXml, run by Mono: an independent verifier and signer.
/// <code>
/// verify --preserve|--collapse DIR [PATH]  a line for each file: name TAB ok|bad|error TAB reason
/// sign KEY.p12 PASSWORD IN OUT PATHS TIME  every file of IN, signed in the field's shape, into OUT
/// </code>
/// --preserve and --collapse load with PreserveWhitespace true and false. A PATH names an element by names
/// without namespaces, such as Hoso/CKy_Dvi. PATHS are several with a comma between; the first that the document
/// has takes the signature. Without a PATH every signature of a file must be valid.
/// </summary>
public static class SignedXmlPeer
{
    const string TimeNamespace = "http://example.org/#signatureProperties";

    public static int Main(string[] words)
    {
        if (words[0] == "verify")
        {
            VerifyAll(words[1] == "--preserve", words[2], words.Length > 3 ? words[3] : null);
            return 0;
        }
        SignAll(new X509Certificate2(words[1], words[2]), words[3], words[4], words[5].Split(','), words[6]);
        return 0;
    }

    static string[] FilesOf(string folder)
    {
        return Directory.GetFiles(folder).OrderBy(name => name, StringComparer.Ordinal).ToArray();
    }

    static XmlDocument Load(string file, bool preserve)
    {
        var document = new XmlDocument { PreserveWhitespace = preserve, XmlResolver = null };
        document.Load(file);
        return document;
    }

    static XmlElement At(XmlDocument document, string path)
    {
        var steps = path.Split('/').Select(name => "*[local-name()='" + name + "']");
        return (XmlElement)document.SelectSingleNode("/" + string.Join("/", steps));
    }

    static void VerifyAll(bool preserve, string folder, string path)
    {
        var lines = new StringBuilder();
        foreach (var file in FilesOf(folder))
        {
            string answer;
            try
            {
                answer = Verify(Load(file, preserve), path);
            }
            catch (Exception failure)
            {
                var reason = failure.GetType().Name + ": " + failure.Message;
                answer = "error\t" + reason.Replace('\n', ' ').Replace('\r', ' ').Replace('\t', ' ');
            }
            lines.Append(Path.GetFileName(file)).Append('\t').Append(answer).Append('\n');
        }
        var content = new UTF8Encoding(false).GetBytes(lines.ToString());
        using (var output = Console.OpenStandardOutput())
        {
            output.Write(content, 0, content.Length);
        }
    }

    static string Verify(XmlDocument document, string path)
    {
        var place = path == null ? null : At(document, path);
        var signatures = document.GetElementsByTagName("Signature", SignedXml.XmlDsigNamespaceUrl)
            .Cast<XmlElement>()
            .Where(element => path == null || element.ParentNode == place)
            .ToArray();
        if (signatures.Length == 0)
        {
            return "bad\tnot-signed";
        }
        foreach (var element in signatures)
        {
            var signed = new SignedXml(document);
            signed.LoadXml(element);
            if (!signed.CheckSignature())
            {
                return "bad\tinvalid";
            }
            foreach (var data in signed.KeyInfo.OfType<KeyInfoX509Data>())
            {
                // CheckSignature is content with any key of KeyInfo; the certificate is the one that counts.
                if (!signed.CheckSignature((X509Certificate2)data.Certificates[0], true))
                {
                    return "bad\tnot-by-the-certificate";
                }
            }
        }
        return "ok\t";
    }

    static void SignAll(X509Certificate2 certificate, string folder, string into, string[] paths, string time)
    {
        foreach (var file in FilesOf(folder))
        {
            var document = Load(file, true);
            var place = paths.Select(path => At(document, path)).First(found => found != null);
            place.AppendChild(document.ImportNode(Sign(document, certificate, time), true));
            var settings = new XmlWriterSettings { Encoding = new UTF8Encoding(false) };
            using (var writer = XmlWriter.Create(Path.Combine(into, Path.GetFileName(file)), settings))
            {
                document.Save(writer);
            }
        }
    }

    static XmlElement Sign(XmlDocument document, X509Certificate2 certificate, string time)
    {
        var signed = new SignedXml(document) { SigningKey = certificate.PrivateKey };
        signed.Signature.Id = "sigid";
        signed.SignedInfo.CanonicalizationMethod = SignedXml.XmlDsigC14NTransformUrl;
        signed.SignedInfo.SignatureMethod = SignedXml.XmlDsigRSASHA256Url;
        var reference = new Reference("") { DigestMethod = SignedXml.XmlDsigSHA256Url };
        reference.AddTransform(new XmlDsigEnvelopedSignatureTransform());
        signed.AddReference(reference);
        signed.KeyInfo.AddClause(new RSAKeyValue((RSA)certificate.PublicKey.Key));
        var data = new KeyInfoX509Data(certificate);
        data.AddSubjectName(certificate.Subject);
        signed.KeyInfo.AddClause(data);
        signed.AddObject(new DataObject { Data = Time(time) });
        signed.ComputeSignature();
        return signed.GetXml();
    }

    static XmlNodeList Time(string time)
    {
        var document = new XmlDocument();
        document.LoadXml(
            "<holder><SignatureProperties Id=\"proid\"><SignatureProperty Target=\"#sigid\"><SigningTime xmlns=\""
            + TimeNamespace + "\">" + time
            + "</SigningTime></SignatureProperty></SignatureProperties></holder>");
        return document.DocumentElement.ChildNodes;
    }
}
